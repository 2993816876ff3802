import { BootError } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { probe } from "../probe/probe.ts";
import type { BlockDevice } from "../steps/block-devices.ts";

/** What a loop device needs of the module loader. */
export interface ModuleByName {
  loadByName(name: string): void;
}

/** Makes an image file a read-only block device and probes it; the caller detaches it with `machine.detachLoop`. */
export function openImage(machine: Machine, file: string, modules: ModuleByName): Pick<BlockDevice, "node" | "facts"> {
  const reader = machine.openReader(file);
  try {
    const facts = probe(reader);
    if (reader.size === 0) throw new BootError(`the image ${file} is empty`, { hint: "copy it to the medium again" });
    if (machine.stat("/dev/loop-control") === null) modules.loadByName("loop");
    return { node: machine.attachLoop({ file, readOnly: true }), facts };
  } finally {
    reader.close();
  }
}
