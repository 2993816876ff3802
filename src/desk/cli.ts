import type { Machine } from "../machine/machine.ts";
import { syncCommand } from "./commands/booted/sync.ts";
import { asksForHelp, runOne } from "./run-command.ts";

/** Runs `levain` as a command. Returns the exit status: 1 if the command failed, 2 if its command line is wrong. */
export async function runDesk(argv: readonly string[], machine: Machine): Promise<number> {
  const [name, ...rest] = argv;
  // The other commands take as long to load as a sync of some thousand files.
  if (name === "sync" && !asksForHelp(rest)) return runOne(syncCommand, "levain sync", rest, machine);
  if (name === "menu" && rest.length === 0) {
    return runOne((await import("./commands/booted/repair.ts")).menuCommand, "levain menu", rest, machine);
  }
  return (await import("./all-commands.ts")).runAny(argv, machine);
}
