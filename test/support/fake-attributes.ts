import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakePlace } from "./fake-mounts.ts";

/** Throws EROFS where the place lies on something that is read-only. */
export function checkWritable({ mount }: FakePlace, call: string, path: string): void {
  if (mount.readOnly || mount.filesystem.readOnly) throw new SyscallError(call, "EROFS", path);
}

/** There is only one user here, and there are no labels. */
export function copyAttributes({ namespace }: FakeKernel, source: string, target: string): void {
  const { node } = namespace.find(source, "stat");
  const place = namespace.find(target, "chmod");
  checkWritable(place, "chmod", target);
  if (place.node.kind !== "symlink" && node.kind !== "symlink") place.node.mode = node.mode;
}
