import type { BlockDevice } from "../devices/block-devices.ts";
import type { Loader } from "../drivers/loader.ts";
import { filesystemType } from "../formats/filesystems/filesystem-types.ts";
import { probe } from "../formats/probe.ts";
import type { Machine } from "../machine/machine.ts";
import { problem } from "../problems/problem.ts";

/** Attaches an image file to a read-only loop device and probes it; the caller detaches it with `machine.detachLoop`. Throws BootError. */
export function openImage(
  machine: Machine,
  file: string,
  drivers: Pick<Loader, "loadByName">,
): Pick<BlockDevice, "node" | "facts" | "unreadable"> {
  const reader = machine.openReader(file);
  try {
    const facts = probe(reader);
    if (reader.size === 0) throw problem("image-empty", { path: file });
    // A copy that was interrupted is the most common damage, and the kernel only says EINVAL.
    const wholeBytes = filesystemType(facts.type ?? "").readSize?.(reader) ?? 0;
    if (wholeBytes > reader.size) throw problem("image-cut-off", { path: file, bytes: reader.size, wholeBytes });
    if (machine.stat("/dev/loop-control") === null) drivers.loadByName("loop");
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
    throw problem("loop-refused", { path: file, hasLoops }, { cause });
  }
}
