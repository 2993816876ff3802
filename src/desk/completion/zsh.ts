import type { CommandLine, Completes, OptionLine } from "./lines.ts";

const ACTIONS: Readonly<Record<Completes, string>> = { file: "_files", directory: "_files -/", nothing: " " };

/** Returns a completion script for zsh, a function of its fpath. */
export function formatZsh(lines: readonly CommandLine[], own: readonly OptionLine[]): string {
  const commands = lines.map(({ name, text }) => `    ${quote(`${name}:${text}`)}`);
  const options = own.flatMap(({ words, text }) => words.map((word) => `    ${quote(`${word}:${text}`)}`));
  const cases = lines.map(({ name, options, argument, choices }) => {
    const specs = options.flatMap(formatOption);
    const words = choices.length === 0 ? [] : [`_values ${quote(name)} ${choices.map(quote).join(" ")}`];
    const rest = argument === "nothing" ? words : [...words, ACTIONS[argument]];
    const action = rest.length === 0 ? [] : [quote(`*: :{${rest.join("; ")}}`)];
    return `    ${name}) _arguments -s ${[...specs, ...action].join(" ")} ;;`;
  });
  return `#compdef levain
# zsh completion for levain: put it into a directory of $fpath as _levain
_levain() {
  local -a commands=(
${commands.join("\n")}
  ) options=(
${options.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'levain command' commands
    _describe -o option options
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
_levain "$@"
`;
}

function formatOption({ words, text, value }: OptionLine): readonly string[] {
  // In a specification, brackets enclose the text, and a colon begins the next part.
  const shown = text.replace(/[[\]:\\]/g, "\\$&");
  return words.map((word) => {
    const long = word.startsWith("--");
    const end = value === null ? "" : `: :${ACTIONS[value]}`;
    return quote(`*${word}${value !== null && long ? "=" : ""}[${shown}]${end}`);
  });
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
