import { withReader } from "../../devices/block-devices.ts";
import { readBzImageRelease, SETUP_BYTES } from "../../formats/kernels/bzimage.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";

/** Where distributions put the kernel of a release: Debian, Fedora and others in /boot or beside the modules, Gentoo as kernel-VERSION. */
const placesOf = (release: string) => [
  `/boot/vmlinuz-${release}`,
  `/boot/kernel-${release}`,
  `/lib/modules/${release}/vmlinuz`,
  `/usr/lib/modules/${release}/vmlinuz`,
];

/** Finds the file of a kernel by its release; null if this machine does not have it. */
export function findKernelFile(machine: Machine, release: string): string | null {
  const named = placesOf(release).find((path) => isFile(machine, path));
  if (named !== undefined) return named;
  // Arch and Alpine name a kernel by its flavour: the file itself has the release.
  const others = listOrNone(machine, "/boot").filter((name) => name.startsWith("vmlinuz"));
  return others.map((name) => `/boot/${name}`).find((path) => readRelease(machine, path) === release) ?? null;
}

/** Returns the release in a kernel file; null if it is none for x86, or cannot be read. */
export function readRelease(machine: Machine, path: string): string | null {
  if (!isFile(machine, path)) return null;
  return orIfRefused(
    () => withReader(machine, path, (reader) => readBzImageRelease(reader.read(0, SETUP_BYTES))),
    null,
  );
}

const isFile = (machine: Machine, path: string) => machine.stat(path)?.kind === "file";
