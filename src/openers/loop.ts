import { BootError } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { probe } from "../probe/probe.ts";
import { printable } from "../report.ts";
import type { BlockDevice } from "../steps/block-devices.ts";

/** What a loop device needs of the module loader. */
export interface ModuleByName {
  loadByName(name: string): void;
}

/** Makes an image file a read-only block device and probes it; the caller detaches it with `machine.detachLoop`. */
export function openImage(
  machine: Machine,
  file: string,
  modules: ModuleByName,
): Pick<BlockDevice, "node" | "facts" | "unreadable"> {
  const reader = machine.openReader(file);
  try {
    const facts = probe(reader);
    if (reader.size === 0)
      throw new BootError(`the image ${printable(file)} is empty`, { hint: "copy it to the medium again" });
    if (machine.stat("/dev/loop-control") === null) modules.loadByName("loop");
    return { node: attachLoop(machine, file), facts, unreadable: null };
  } finally {
    reader.close();
  }
}

function attachLoop(machine: Machine, file: string): string {
  try {
    return machine.attachLoop({ file, readOnly: true });
  } catch (cause) {
    const hasLoops = machine.stat("/dev/loop-control") !== null;
    throw new BootError(`could not make a block device of the image ${printable(file)}`, {
      cause,
      hint: hasLoops
        ? "see what the kernel says: dmesg"
        : "the kernel's loop module is missing from this image: levain image --module loop",
    });
  }
}
