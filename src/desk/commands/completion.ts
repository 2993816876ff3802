import { argument, type Command, command, UsageError } from "../command-line.ts";
import { formatBash } from "../completion/bash.ts";
import { formatFish } from "../completion/fish.ts";
import { listCommandLines } from "../completion/lines.ts";
import { formatZsh } from "../completion/zsh.ts";

const SHELLS = { bash: formatBash, zsh: formatZsh, fish: formatFish } as const;

/** Returns a script with which a shell completes these commands. */
export function formatCompletion(shell: keyof typeof SHELLS, commands: Readonly<Record<string, Command>>): string {
  const choices = {
    completion: Object.keys(SHELLS),
    config: ["check", "show", "schema"],
    help: [...Object.keys(commands), "parameters"],
  };
  return SHELLS[shell](listCommandLines(commands, choices));
}

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
    run: ({ words: [given = ""] }) => {
      const shells = Object.keys(SHELLS) as (keyof typeof SHELLS)[];
      const shell = shells.find((known) => known === given);
      if (shell === undefined) throw new UsageError(`Which shell? ${shells.join(", ")}`);
      process.stdout.write(formatCompletion(shell, commands()));
      return 0;
    },
  });
}
