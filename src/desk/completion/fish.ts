import type { CommandLine, Completes, OptionLine } from "./lines.ts";

/** The options of fish's `complete` for what follows. */
const KINDS: Readonly<Record<Completes, string>> = {
  file: "-r -F",
  directory: "-x -a '(__fish_complete_directories)'",
  nothing: "-x",
};

/** Returns a completion script for fish. */
export function formatFish(lines: readonly CommandLine[], own: readonly OptionLine[]): string {
  const commands = lines.map(
    ({ name, text }) => `complete -c levain -n __fish_use_subcommand -a ${name} -d ${quote(text)}`,
  );
  const first = own.map((option) => formatOption("complete -c levain -n __fish_use_subcommand", option));
  const rest = lines.flatMap(({ name, options, argument, choices }) => {
    const on = `complete -c levain -n '__fish_seen_subcommand_from ${name}'`;
    const kinds = { file: ["-F"], directory: ["-a '(__fish_complete_directories)'"], nothing: [] }[argument];
    return [
      ...kinds.map((kind) => `${on} ${kind}`),
      ...(choices.length === 0 ? [] : [`${on} -a ${quote(choices.join(" "))}`]),
      ...options.map((option) => formatOption(on, option)),
    ];
  });
  return `# fish completion for levain: put it into ~/.config/fish/completions/levain.fish
complete -c levain -f
${[...commands, ...first, ...rest].join("\n")}
`;
}

function formatOption(start: string, { words, text, value }: OptionLine): string {
  const names = words.map((word) => (word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`));
  return [start, ...names, ...(value === null ? [] : [KINDS[value]]), `-d ${quote(text)}`].join(" ");
}

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
