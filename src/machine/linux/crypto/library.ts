import * as fs from "node:fs";
import { join } from "node:path";
import { openMemoryFile } from "../descriptors.ts";

/** Where the build puts the libraries that levain loads itself (build/native-libraries.ts), beside the program's module. */
const PACKED = join(import.meta.dir, "libraries");

/** True in the executable; a program that runs from its sources uses the system's libraries. */
export const IS_PACKED = import.meta.dir.startsWith("/$bunfs/");

/** Returns the file `name` that the build has packed (build/native-libraries.ts); null in a program that runs from its sources. */
export function readPacked(name: string): Uint8Array | null {
  return IS_PACKED ? fs.readFileSync(join(PACKED, name)) : null;
}

/**
 * Returns the path for dlopen(3) of the library `name`; call it once for each. The loader needs a file, and gets one in memory: an
 * initramfs may have no writable place, and other systems should not keep it. Throws if the executable was packed without it.
 */
export function provideLibrary(name: string): string {
  if (!IS_PACKED) return name;
  const bytes = fs.readFileSync(join(PACKED, name));
  // It stays open: the loader knows the library by this path, which must not be used for the next library.
  const fd = openMemoryFile(name);
  fs.writeFileSync(fd, bytes);
  return `/proc/self/fd/${fd}`;
}
