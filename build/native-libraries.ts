import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readElf } from "../src/desk/program/elf.ts";
import { findLibrary } from "../src/desk/program/libraries.ts";
import { BootError } from "../src/problems/errors.ts";
import { HOST, linkFilesLibrary } from "./stage0/link.ts";

/** The libraries that src/machine/ loads, by soname, and their Debian packages. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "libargon2.so.1": "libargon2-1",
  "libgcc_s.so.1": "libgcc-s1",
  "librhash.so.0": "librhash0",
};

/**
 * Copies libraries into the new directory `libraries` of `place`, adds levain's own, and returns the path for `bun build --asset`. They
 * must suit `program`, the Bun that is compiled into the executable. Throws BootError if this host does not have one.
 */
export function gatherNativeLibraries(place: string, program: string, libraries = LIBRARIES): string {
  const user = readElf(readFileSync(program), program);
  const directory = join(place, "libraries");
  mkdirSync(directory, { recursive: true });
  for (const [name, packageName] of Object.entries(libraries)) {
    const hostPath = findLibrary(name, user);
    if (hostPath === null) {
      throw new BootError(`cannot find the library ${name} on this host`, {
        hint: `install it (Debian: apt install ${packageName})`,
      });
    }
    const { needed } = readElf(readFileSync(hostPath), hostPath);
    const missing = needed.filter((other) => !user.needed.includes(other) && !user.interpreter?.endsWith(`/${other}`));
    if (missing.length > 0) {
      throw new BootError(`cannot add ${hostPath} to levain: it needs ${missing.join(", ")}, which Bun does not need`);
    }
    copyFileSync(hostPath, join(directory, name));
  }
  writeFileSync(join(directory, "levain-files.so"), linkFilesLibrary(HOST));
  return directory;
}
