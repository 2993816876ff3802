import { KEYMAP_DIRECTORY, KEYMAP_ENDING, parseKeymap } from "../formats/keymap.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { printable, report } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

/**
 * Loads the keymap that the plan names into the virtual terminals, for prompts and shells. Returns its name, or null where the
 * kernel's own stays: none is named, there is no virtual terminal, or it cannot be loaded, which is a warning and no more.
 */
export function loadKeymap(machine: Machine, name: string | null, voice: Voice): string | null {
  if (name === null) return null;
  const path = `${KEYMAP_DIRECTORY}/${name}${KEYMAP_ENDING}`;
  const loses = (why: string) => {
    voice.warn(`rd.vconsole.keymap=${printable(name)}: ${why}; the keyboard stays as the kernel has it`);
    return null;
  };
  if (name.includes("/") || machine.stat(path)?.kind !== "file") return loses(describeOthers(machine));
  try {
    machine.loadKeymap(parseKeymap(machine.readFile(path)));
    return name;
  } catch (error) {
    if (isErrno(error, "ENOTTY")) {
      // A serial line's keyboard is at its other end.
      voice.debug(`keymap ${printable(name)}: this kernel has no virtual terminals`);
      return null;
    }
    return loses(
      `it cannot be loaded: ${report(error)
        .map((line) => line.trim())
        .join(", ")}`,
    );
  }
}

function describeOthers(machine: Machine): string {
  const others = listKeymaps(machine);
  if (others.length > 0) return `the image has no such keymap, only ${others.map(printable).join(", ")}`;
  return "the image has no keymaps (levain image --keymap NAME)";
}

function listKeymaps(machine: Machine): readonly string[] {
  if (machine.stat(KEYMAP_DIRECTORY)?.kind !== "directory") return [];
  return machine
    .listDirectory(KEYMAP_DIRECTORY)
    .filter((file) => file.endsWith(KEYMAP_ENDING))
    .map((file) => file.slice(0, -KEYMAP_ENDING.length));
}
