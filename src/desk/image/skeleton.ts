import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { INITTAB, makeInittab } from "../../filesystems/busybox.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageEntry, type ImageTree, putEntry } from "../archive/tree.ts";
import { isDirectory, isFile } from "../host.ts";

// What neither git nor the executable's assets can store: empty directories, symlinks and device nodes.
// Device numbers: Documentation/admin-guide/devices.txt.
const BASE: readonly ImageEntry[] = [
  ...["bin", "dev", "etc", "lib", "proc", "run", "sbin", "sys", "sysroot", "usr", "usr/bin", "usr/sbin", "var"].map(
    (name) => ({ kind: "directory", path: `/${name}`, mode: 0o755 }) as const,
  ),
  { kind: "directory", path: "/root", mode: 0o700 },
  { kind: "directory", path: "/tmp", mode: 0o1777 },
  // The kernel opens it as the standard input and output of /init, before anything can mount /dev.
  { kind: "character", path: "/dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "character", path: "/dev/null", mode: 0o666, major: 1, minor: 3 },
  { kind: "character", path: "/dev/kmsg", mode: 0o644, major: 1, minor: 11 },
  { kind: "character", path: "/dev/tty", mode: 0o666, major: 5, minor: 0 },
  { kind: "character", path: "/dev/urandom", mode: 0o666, major: 1, minor: 9 },
  { kind: "file", path: INITTAB, mode: 0o644, content: contentOfBytes(Buffer.from(makeInittab("/init"))) },
  { kind: "symlink", path: "/etc/mtab", target: "../proc/mounts" },
  { kind: "symlink", path: "/var/run", target: "../run" },
];

/** Adds what every image has, and the files of rootfs-skel: scripts (`#!`) with mode 0755, others 0644. */
export function addSkeleton(tree: ImageTree): void {
  for (const entry of BASE) putEntry(tree, entry);
  const root = findSkeleton();
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    if (!isFile(join(root, name))) continue;
    const bytes = readFileSync(join(root, name));
    // Assets of an executable have no permissions.
    const mode = bytes[0] === 0x23 && bytes[1] === 0x21 ? 0o755 : 0o644;
    putEntry(tree, { kind: "file", path: `/${name}`, mode, content: contentOfBytes(bytes) });
  }
}

/** `bun build --asset rootfs-skel` puts it beside the program's one module; in the source tree it is three levels up. */
function findSkeleton(): string {
  const places = [join(import.meta.dir, "rootfs-skel"), join(import.meta.dir, "../../../rootfs-skel")];
  const found = places.find(isDirectory);
  if (found === undefined) {
    throw new BootError("this levain was built without rootfs-skel", { hint: "rebuild it with make" });
  }
  return found;
}
