import { join } from "node:path";
import { withReader } from "../../devices/block-devices.ts";
import { SETUP_BYTES } from "../../formats/kernels/bzimage.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";
import type { Architecture } from "../qemu/machines.ts";
import { architectureOf, isBzImage, readKernelFacts } from "./kernel-facts.ts";

/** The largest kernel of a distribution has 80 MB. */
const FILE_MAX_BYTES = 256 << 20;

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

/** Returns the release in a kernel file; null if it contains none, or cannot be read. */
export function readRelease(machine: Machine, path: string): string | null {
  if (!isFile(machine, path)) return null;
  return orIfRefused(
    () =>
      withReader(machine, path, (reader) => {
        const head = reader.read(0, SETUP_BYTES);
        // The others name their release in the unpacked kernel only.
        const bytes = isBzImage(head) ? head : reader.read(0, Math.min(reader.size, FILE_MAX_BYTES));
        return readKernelFacts(bytes)?.release ?? null;
      }),
    null,
  );
}

/** Returns the architecture of a kernel or of a unified kernel image; null if the file does not say. */
export function readArchitecture(machine: Machine, path: string): Architecture | null {
  if (!isFile(machine, path)) return null;
  return orIfRefused(() => withReader(machine, path, (reader) => architectureOf(reader.read(0, SETUP_BYTES))), null);
}

const isFile = (machine: Machine, path: string) => machine.stat(path)?.kind === "file";
