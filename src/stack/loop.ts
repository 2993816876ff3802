import type { BlockDevice } from "../devices/block-devices.ts";
import { probe } from "../formats/probe.ts";
import type { Machine, RandomReader } from "../machine/machine.ts";
import { BootError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";

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
    if (facts.type === "squashfs") checkWhole(reader, file);
    if (machine.stat("/dev/loop-control") === null) modules.loadByName("loop");
    return { node: attachLoop(machine, file), facts, unreadable: null };
  } finally {
    reader.close();
  }
}

/** bytes_used of struct squashfs_super_block (fs/squashfs/squashfs_fs.h): a copy that was interrupted is the commonest damage, and of it the kernel says EINVAL only. */
function checkWhole(reader: RandomReader, file: string): void {
  const field = reader.read(40, 8);
  if (field.length < 8) return;
  const bytes = Number(new DataView(field.buffer, field.byteOffset, 8).getBigUint64(0, true));
  if (bytes <= reader.size) return;
  throw new BootError(`the image ${printable(file)} is cut off: ${reader.size} of its ${bytes} bytes are there`, {
    hint: "copy it to the medium again, and unmount the medium before it is taken out",
  });
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
