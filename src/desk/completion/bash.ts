import type { CommandLine, Completes, OptionLine } from "./lines.ts";

/** How bash lists the names for `$cur`. */
const NAMES: Readonly<Record<Completes, string>> = {
  file: "_levain_files",
  directory: "_levain_directories",
  nothing: "COMPREPLY=()",
};

/** Returns a completion script for bash. All words in it are of levain's own tables, and need no quotes. */
export function formatBash(lines: readonly CommandLine[], own: readonly OptionLine[]): string {
  const values = lines.flatMap(({ name, options }) =>
    options.flatMap(({ words, value }) =>
      value === null ? [] : [`    ${words.map((word) => `${name}:${word}`).join("|")}) ${NAMES[value]}; return ;;`],
    ),
  );
  const words = lines.map(({ name, options, choices, argument }) => {
    return `    ${name}) _levain_words "${longWords(options).join(" ")}" "${choices.join(" ")}" ${argument} ;;`;
  });
  const first = [...lines.map(({ name }) => name), ...longWords(own)];
  return `# bash completion for levain: source it, or put it into /usr/share/bash-completion/completions/levain
_levain() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}"
  _levain_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); }
  _levain_directories() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); }
  _levain_words() {
    case "$cur" in
      -*) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur") ;;
      *)
        case "$3" in file) _levain_files ;; directory) _levain_directories ;; *) COMPREPLY=() ;; esac
        local word
        for word in $(compgen -W "$2" -- "$cur"); do COMPREPLY+=("$word"); done ;;
    esac
  }
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "${first.join(" ")}" -- "$cur")
    return
  fi
  # bash takes "=" as a word of its own.
  if [ "$cur" = "=" ]; then cur=; elif [ "$prev" = "=" ]; then prev="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  case "\${COMP_WORDS[1]}:$prev" in
${values.join("\n")}
  esac
  case "\${COMP_WORDS[1]}" in
${words.join("\n")}
  esac
}
complete -F _levain levain
`;
}

const longWords = (options: readonly OptionLine[]) =>
  options.flatMap(({ words }) => words.filter((word) => word.startsWith("--")));
