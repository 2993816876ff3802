import type { ArgsDef } from "citty";
import { argument, type Command, command, UsageError } from "../command-line.ts";
import { formatBash } from "../completion/bash.ts";
import { formatFish } from "../completion/fish.ts";
import { listCommandLines, listOptions } from "../completion/lines.ts";
import { formatZsh } from "../completion/zsh.ts";
import { writeOutput } from "../standard-output.ts";

const SHELLS = { bash: formatBash, zsh: formatZsh, fish: formatFish } as const;

/** What is completed. */
export interface Completed {
  readonly commands: Readonly<Record<string, Command>>;
  /** The options before a command. */
  readonly own: ArgsDef;
}

/** Returns a script with which a shell completes these commands and options. */
export function formatCompletion(shell: keyof typeof SHELLS, { commands, own }: Completed): string {
  const choices = {
    completion: Object.keys(SHELLS),
    config: ["check", "show", "schema"],
    help: [...Object.keys(commands), "parameters"],
  };
  return SHELLS[shell](listCommandLines(commands, choices), listOptions(own));
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
    run: ({ words: [given = ""] }) => {
      const shells = Object.keys(SHELLS) as (keyof typeof SHELLS)[];
      const shell = shells.find((known) => known === given);
      if (shell === undefined) throw new UsageError(`Which shell? ${shells.join(", ")}`);
      writeOutput(formatCompletion(shell, list()));
      return 0;
    },
  });
}
