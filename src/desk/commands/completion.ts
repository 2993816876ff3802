import { argument, type Command, command, UsageError } from "../command-line.ts";
import { formatBash } from "../completion/bash.ts";
import { formatFish } from "../completion/fish.ts";
import { listCommandLines } from "../completion/lines.ts";
import { formatZsh } from "../completion/zsh.ts";

const SHELLS = { bash: formatBash, zsh: formatZsh, fish: formatFish } as const;

/** Makes `levain completion`, which completes all of `commands`. */
export function makeCompletionCommand(commands: () => Readonly<Record<string, Command>>): Command {
  return command({
    name: "completion",
    description: "Print a script with which a shell completes the commands and their options",
    args: { shell: argument("bash, zsh or fish") },
    examples: {
      "levain completion bash > /usr/share/bash-completion/completions/levain": "For every user of bash",
      "levain completion fish > ~/.config/fish/completions/levain.fish": "For one user of fish",
    },
    run: ({ words: [shell = ""] }) => {
      const format = Object.entries(SHELLS).find(([name]) => name === shell)?.[1];
      if (format === undefined) throw new UsageError(`Which shell? ${Object.keys(SHELLS).join(", ")}`);
      const names = Object.keys(commands());
      const choices = {
        completion: Object.keys(SHELLS),
        config: ["check", "show", "schema"],
        help: [...names, "parameters"],
      };
      process.stdout.write(format(listCommandLines(commands(), choices)));
      return 0;
    },
  });
}
