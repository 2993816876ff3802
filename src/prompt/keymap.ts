import { KEYMAP_DIRECTORY, KEYMAP_ENDING, parseKeymap } from "../formats/keymap.ts";
import type { Machine } from "../machine/machine.ts";
import { listOrNone } from "../machine/small-files.ts";
import { isErrno } from "../problems/errors.ts";
import { printable, report } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

/**
 * Loads the plan's keymap into the virtual terminals, for prompts and shells. Returns its name, or null if the kernel's keymap
 * stays: the plan names none, there is no virtual terminal, or, after a warning, it cannot be loaded.
 */
export function applyKeymap(machine: Machine, name: string | null, voice: Voice): string | null {
  if (name === null) return null;
  const path = `${KEYMAP_DIRECTORY}/${name}${KEYMAP_ENDING}`;
  const keepKernels = (why: string) => {
    voice.warn(`rd.vconsole.keymap=${printable(name)}: ${why}; keeping the kernel's keymap`);
    return null;
  };
  if (name.includes("/") || machine.stat(path)?.kind !== "file") return keepKernels(describeOthers(machine));
  try {
    machine.loadKeymap(parseKeymap(machine.readFile(path)));
    return name;
  } catch (error) {
    if (isErrno(error, "ENOTTY")) {
      // The keyboard of a serial line is at its other end.
      voice.debug(`keymap ${printable(name)}: this kernel has no virtual terminals`);
      return null;
    }
    const why = report(error).map((line) => line.trim());
    return keepKernels(`it cannot be loaded: ${why.join(", ")}`);
  }
}

function describeOthers(machine: Machine): string {
  const files = listOrNone(machine, KEYMAP_DIRECTORY).filter((file) => file.endsWith(KEYMAP_ENDING));
  const others = files.map((file) => file.slice(0, -KEYMAP_ENDING.length));
  if (others.length > 0) return `the image has no such keymap, only ${others.map(printable).join(", ")}`;
  return "the image has no keymaps (add one with levain image --keymap NAME)";
}
