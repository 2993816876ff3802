import type { ArgsDef } from "citty";
import { argument, type Command, command, UsageError } from "../command-line.ts";
import { formatBash } from "../completion/bash.ts";
import { formatFish } from "../completion/fish.ts";
import { listCommandLines, listOptions } from "../completion/lines.ts";
import { formatZsh } from "../completion/zsh.ts";

const SHELLS = { bash: formatBash, zsh: formatZsh, fish: formatFish } as const;

interface Completed {
  readonly commands: Readonly<Record<string, Command>>;
  /** The options before a command. */
  readonly own: ArgsDef;
}

/** Makes `levain completion`, which completes all that `list` returns. */
export function makeCompletionCommand(list: () => Completed): Command {
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
      const { commands, own } = list();
      const choices = {
        completion: Object.keys(SHELLS),
        config: ["check", "show", "schema"],
        help: [...Object.keys(commands), "parameters"],
      };
      process.stdout.write(format(listCommandLines(commands, choices), listOptions(own)));
      return 0;
    },
  });
}
