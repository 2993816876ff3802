import type { CommandLine, Completes } from "./lines.ts";

/** The options of fish's `complete` for what follows. */
const KINDS: Readonly<Record<Completes, string>> = {
  file: "-r -F",
  directory: "-x -a '(__fish_complete_directories)'",
  nothing: "-x",
};

/** Returns a completion script for fish. */
export function formatFish(lines: readonly CommandLine[]): string {
  const commands = lines.map(
    ({ name, text }) => `complete -c levain -n __fish_use_subcommand -a ${name} -d ${quote(text)}`,
  );
  const rest = lines.flatMap(({ name, options, argument, choices }) => {
    const on = `complete -c levain -n '__fish_seen_subcommand_from ${name}'`;
    const kinds = { file: ["-F"], directory: ["-a '(__fish_complete_directories)'"], nothing: [] }[argument];
    return [
      ...kinds.map((kind) => `${on} ${kind}`),
      ...(choices.length === 0 ? [] : [`${on} -a ${quote(choices.join(" "))}`]),
      ...options.map(({ words, text, value }) => {
        const names = words.map((word) => (word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`));
        return [on, ...names, ...(value === null ? [] : [KINDS[value]]), `-d ${quote(text)}`].join(" ");
      }),
    ];
  });
  return `# fish completion for levain: put it into ~/.config/fish/completions/levain.fish
complete -c levain -f
${[...commands, ...rest].join("\n")}
`;
}

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
