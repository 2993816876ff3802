import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { isFile } from "../host.ts";
import { type Elf, EM, isElf, readElf } from "./elf.ts";

// The default directories of loaders: glibc's, Debian's multiarch ones, musl's.
const MULTIARCH: Readonly<Record<number, string>> = {
  [EM.X86_64]: "x86_64-linux-gnu",
  [EM.AARCH64]: "aarch64-linux-gnu",
  [EM.I386]: "i386-linux-gnu",
  [EM.ARM]: "arm-linux-gnueabihf",
};

/**
 * Returns the loader and the libraries of the program at `path`, found as ld.so(8) finds them: DT_RUNPATH, the default
 * directories, ld.so.conf; `imagePath` is where the loader will find them in the image. Throws a BootError that names all
 * missing ones.
 */
export function findLibraries(path: string, elf: Elf): readonly Pick<Found, "hostPath" | "imagePath">[] {
  if (elf.interpreter === null) return [];
  // libc needs the loader by its bare name, and gets the one that is running.
  const found = new Map([[basename(elf.interpreter), { hostPath: elf.interpreter, imagePath: elf.interpreter }]]);
  const missing: string[] = [];
  const visit = (user: string, { needed, searchPath }: Elf) => {
    const own = searchPath.map((directory) => directory.replace(/\$ORIGIN|\$\{ORIGIN\}/, dirname(user)));
    for (const name of needed) {
      if (found.has(name) || name === elf.soname) continue;
      const library = search(name, elf, own);
      if (!library) {
        missing.push(`${name}, needed by ${user}`);
        continue;
      }
      found.set(name, library);
      visit(library.hostPath, library.elf);
    }
  };
  visit(path, elf);
  if (missing.length > 0) {
    throw new BootError(`cannot add the program ${path}: this host does not have all of its libraries`, {
      seen: missing,
      hint: "install the packages that contain them, or use a statically linked program",
    });
  }
  return [...found.values()];
}

/** Returns the path of a library of this host for the machine of `user`, or null. */
export function findLibrary(name: string, user: Elf): string | null {
  return search(name, user)?.hostPath ?? null;
}

type Found = NonNullable<ReturnType<typeof search>>;

/** Searches the directories `own` of a program first. */
function search(name: string, user: Elf, own: readonly string[] = []) {
  const kept = [...own, ...defaultDirectories(user.machine)];
  for (const directory of name.includes("/") ? [""] : [...kept, ...configuredDirectories("/etc/ld.so.conf")]) {
    const hostPath = name.includes("/") ? name : join(directory, name);
    const elf = readLibrary(hostPath, user);
    if (!elf) continue;
    // The image has no ld.so.cache, so a library that only ld.so.conf knows goes into a default directory.
    const imagePath = kept.includes(directory) || directory === "" ? hostPath : join("/usr/lib", name);
    return { hostPath, imagePath, elf };
  }
  return null;
}

/** Reads a library; null if there is none for the machine of `user`. ld.so skips those of other machines, too. */
function readLibrary(path: string, user: Elf): Elf | null {
  if (!isFile(path)) return null;
  const bytes = readFileSync(path);
  if (!isElf(bytes)) return null;
  const elf = readElf(bytes, path);
  return elf.machine === user.machine && elf.class === user.class ? elf : null;
}

function defaultDirectories(machine: number): readonly string[] {
  const triplet = MULTIARCH[machine];
  const multiarch = triplet === undefined ? [] : [`/lib/${triplet}`, `/usr/lib/${triplet}`];
  return [...multiarch, "/lib64", "/usr/lib64", "/lib", "/usr/lib"];
}

/** Returns the directories of an ld.so.conf(5) and of the files that it includes. */
function configuredDirectories(path: string): readonly string[] {
  const isDirectory = (line: string) => line.startsWith("/");
  return readLines(path).flatMap((line) => {
    const pattern = /^include\s+(\S+)/.exec(line)?.[1];
    if (pattern === undefined) return [line].filter(isDirectory);
    const files = globSync(resolve("/etc", pattern)).sort();
    return files.flatMap((file) => readLines(file).filter(isDirectory));
  });
}

function readLines(path: string): readonly string[] {
  if (!isFile(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim());
}
