import { hideSecret } from "../../../parameters/secrets.ts";
import { printable } from "../../../problems/report.ts";
import { startMenu } from "../../../rescue/commands/menu/menu.ts";
import { mountRootDevice } from "../../../rescue/commands/mount.ts";
import { switchPower } from "../../../rescue/commands/power.ts";
import { forgetParameters, keepParameters, requireStopped } from "../../../rescue/commands/retry.ts";
import { argument, command, flag } from "../../command-line.ts";
import { writeLine } from "../../standard-output.ts";
import { createTerminalVoice } from "../../terminal-voice.ts";

/** `levain menu`. */
export const menuCommand = command({
  name: "menu",
  description: "Repair a boot that failed, step by step (rescue shell)",
  examples: { "levain menu": "Retry, choose another root, edit parameters, unlock, …" },
  run: (_, machine) => startMenu(machine, process.env),
});

/** `levain set PARAMETER…`. */
export const setCommand = command({
  name: "set",
  description: "Keep kernel parameters for the next retry (rescue shell)",
  args: {
    "parameter...": argument("Parameters that override those of the kernel command line", false),
    clear: flag("Forget what was set before"),
  },
  examples: {
    "levain set root=LABEL=ROOT": "Boot another root as soon as exit or levain retry ends the shell",
    "levain set": "List what is set",
  },
  run({ words, has }, machine) {
    requireStopped(machine);
    if (has("clear")) forgetParameters(machine);
    const kept = keepParameters(machine, words);
    writeLine(kept.length === 0 ? "nothing is set" : kept.map((word) => printable(hideSecret(word))).join("\n"));
    return 0;
  },
});

/** `levain mount`. */
export const mountCommand = command({
  name: "mount",
  description: "Mount the root device read-only at /sysroot, to look into it (rescue shell)",
  examples: { "levain mount": "Find the root as the boot does, and mount it" },
  run(_, machine) {
    requireStopped(machine);
    const voice = createTerminalVoice(process.stderr);
    try {
      writeLine(mountRootDevice(machine, voice).join("\n"));
    } finally {
      voice.close();
    }
    return 0;
  },
});

const powerCommand = (name: "reboot" | "poweroff", description: string) =>
  command({
    name,
    description: `${description} (rescue shell)`,
    examples: { [`levain ${name}`]: "Unmount what was mounted in the shell first" },
    run(_, machine) {
      requireStopped(machine);
      switchPower(machine, name);
      return 0;
    },
  });

/** `levain reboot`. */
export const rebootCommand = powerCommand("reboot", "Start the machine again");
/** `levain poweroff`. */
export const poweroffCommand = powerCommand("poweroff", "Switch the machine off");
