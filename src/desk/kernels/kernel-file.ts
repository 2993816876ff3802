import { join } from "node:path";
import { withReader } from "../../devices/block-devices.ts";
import { readBzImageRelease, SETUP_BYTES } from "../../formats/kernels/bzimage.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";

const PLACES = [
  "boot/vmlinuz-RELEASE",
  "boot/kernel-RELEASE",
  "lib/modules/RELEASE/vmlinuz",
  "usr/lib/modules/RELEASE/vmlinuz",
];

/** Returns where distributions put the kernel of a release below `root`: Debian, Fedora and others in /boot or beside the modules, Gentoo as kernel-RELEASE. */
export const kernelPlaces = (release: string, root = "/"): readonly string[] =>
  PLACES.map((place) =>
    join(
      root,
      place.replace("RELEASE", () => release),
    ),
  );

/** Finds the file of a kernel below `root` by its release; null if there is none. */
export function findKernelFile(machine: Machine, release: string, root = "/"): string | null {
  const named = kernelPlaces(release, root).find((path) => isFile(machine, path));
  if (named !== undefined) return named;
  // Arch and Alpine name a kernel by its flavour: the file itself has the release.
  const boot = join(root, "boot");
  const others = listOrNone(machine, boot).filter((name) => name.startsWith("vmlinuz"));
  return others.map((name) => join(boot, name)).find((path) => readRelease(machine, path) === release) ?? null;
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
