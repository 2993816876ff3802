import * as fs from "node:fs";
import { join } from "node:path";
import { openMemoryFile } from "../memory-file.ts";

/** Where the build puts the libraries that we load by ourselves (build/native-libraries.ts), beside the program's own module. */
const PACKED = join(import.meta.dir, "libraries");

/** True in the executable; a program that runs from its sources takes the system's libraries. */
export const IS_PACKED = import.meta.dir.startsWith("/$bunfs/");

/**
 * What dlopen(3) is to be given for the library `name`, once for each. The loader wants a file: it gets one in memory, for an
 * initramfs need not have a place to write one, and a desk shall not keep it. Throws where the executable was packed without it.
 */
export function provideLibrary(name: string): string {
  if (!IS_PACKED) return name;
  const bytes = fs.readFileSync(join(PACKED, name));
  // It stays open: the loader knows the library by this path, and would take it for the next one of the same number.
  const fd = openMemoryFile(name);
  fs.writeFileSync(fd, bytes);
  return `/proc/self/fd/${fd}`;
}
