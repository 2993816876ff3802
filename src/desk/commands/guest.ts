import { defineCommand } from "citty";
import type { Machine } from "../../machine/machine.ts";
import { retryBoot } from "../../rescue/commands/retry.ts";
import { describeLog, describeStatus } from "../../rescue/commands/status.ts";
import { devicesCommand } from "./devices.ts";
import { luksCommand } from "./luks.ts";
import { unlockCommand } from "./unlock.ts";

/** The commands that look at the machine they run on: for the rescue shell, and for the booted system after it. */
export function guestCommands(machine: Machine) {
  const show = (name: string, description: string, describe: (machine: Machine) => readonly string[] | null) =>
    defineCommand({
      meta: { name, description },
      run: () => print(describe(machine)),
    });
  return {
    status: show("status", "Tell how the boot went, or where it stopped", describeStatus),
    devices: devicesCommand(machine),
    luks: luksCommand(machine),
    unlock: unlockCommand(machine),
    log: show("log", "Show what the boot has said", describeLog),
    retry: defineCommand({
      meta: { name: "retry", description: "In the rescue shell: go on with the boot where it stopped" },
      args: {
        parameters: {
          type: "positional",
          required: false,
          description: "parameters that come after those of the command line",
        },
      },
      run: ({ rawArgs }) => {
        retryBoot(machine, rawArgs);
        return 0;
      },
    }),
  };
}

function print(lines: readonly string[] | null): number {
  if (lines === null) {
    console.error("this system was not booted by levain");
    return 1;
  }
  console.log(lines.join("\n"));
  return 0;
}
