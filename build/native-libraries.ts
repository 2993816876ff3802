import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readElf } from "../src/desk/program/elf.ts";
import { BootError } from "../src/problems/errors.ts";
import type { Site } from "./site.ts";
import { linkFilesLibrary } from "./stage0/link.ts";

/** The libraries that src/machine/ loads, by soname, and their Debian packages. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "libargon2.so.1": "libargon2-1",
  "libgcc_s.so.1": "libgcc-s1",
  "librhash.so.0": "librhash0",
};

/**
 * Copies libraries into the new directory `libraries` of `place`, adds levain's own, and returns the path for `bun build --asset`. They
 * must suit the Bun that is compiled into the executable. Throws BootError if the site has none of that name.
 */
export function gatherNativeLibraries(place: string, site: Site, libraries = LIBRARIES): string {
  const program = site.runtime;
  const user = readElf(readFileSync(program), program);
  const directory = join(place, "libraries");
  mkdirSync(directory, { recursive: true });
  for (const [name, packageName] of Object.entries(libraries)) {
    const hostPath = site.findLibrary(name, user);
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
  writeFileSync(join(directory, "levain-files.so"), linkFilesLibrary(site.target));
  return directory;
}
