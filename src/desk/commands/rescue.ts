import type { Machine } from "../../machine/machine.ts";
import { retryBoot } from "../../rescue/commands/retry.ts";
import { describeLog, describeStatus } from "../../rescue/commands/status.ts";
import { argument, command } from "../command-line.ts";

/** `levain status`. */
export const statusCommand = (machine: Machine) =>
  command({
    name: "status",
    description: "Show how the boot went, or where and why it stopped",
    examples: { "levain status": "In the rescue shell: what failed, and what to try" },
    run: () => print(describeStatus(machine)),
  });

/** `levain log`. */
export const logCommand = (machine: Machine) =>
  command({
    name: "log",
    description: "Show the messages of the boot",
    examples: { "levain log": "Every message, also those that the console did not show" },
    run: () => print(describeLog(machine)),
  });

/** `levain retry`. */
export const retryCommand = (machine: Machine) =>
  command({
    name: "retry",
    description: "Retry the boot from the step where it stopped (rescue shell)",
    args: {
      "parameter...": argument("Parameters that override those of the kernel command line", false),
    },
    examples: {
      "levain retry": "Leave the rescue shell and retry, as exit does",
      "levain retry root=LABEL=LIVE rd.timeout=60": "Retry with another root device and timeout",
    },
    run: ({ words }) => {
      retryBoot(machine, words);
      return 0;
    },
  });

function print(lines: readonly string[] | null): number {
  if (lines === null) console.error("levain did not boot this system");
  else console.log(lines.join("\n"));
  return lines === null ? 1 : 0;
}
