import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../attempt.ts";
import { isFile } from "../host.ts";
import { refuseReserved } from "../image/reserved.ts";
import { type Elf, EM, isElf, readElf } from "./elf.ts";
import { findLibraries } from "./libraries.ts";

/**
 * Puts the program at `hostPath` into the image at `imagePath`, mode 0755, with its loader and libraries where it is
 * linked dynamically. Throws BootError where it is no ELF program, or one for another machine than `machine` (e_machine).
 */
export function addProgram(tree: ImageTree, hostPath: string, imagePath: string, machine: number): void {
  refuseReserved(hostPath, imagePath);
  const bytes = attempt(`cannot add the program ${hostPath} to the image`, () => readFileSync(hostPath));
  if (!isElf(bytes)) {
    throw new BootError(`cannot add ${hostPath} as a program: it is not an ELF file`, {
      hint: "add scripts and data with --add SRC:DST",
    });
  }
  const elf = readElf(bytes, hostPath);
  if (elf.machine !== machine) {
    throw new BootError(`cannot add ${hostPath} to the image: it is a program for another machine`, {
      seen: [`${hostPath} is for ${nameMachine(elf.machine)}, /init for ${nameMachine(machine)}`],
    });
  }
  putEntry(tree, { kind: "file", path: imagePath, mode: 0o755, content: contentOfBytes(bytes) });
  for (const library of findLibraries(hostPath, elf)) {
    const content = contentOfBytes(attempt(`cannot add ${library.hostPath}`, () => readFileSync(library.hostPath)));
    putEntry(tree, { kind: "file", path: library.imagePath, mode: 0o755, content });
  }
}

// Debian's busybox and busybox-static, Fedora's, Alpine's; initramfs-tools' is the dynamically linked one of Debian's installer.
const BUSYBOX_PLACES = [
  "/bin/busybox",
  "/usr/bin/busybox",
  "/bin/busybox.static",
  "/sbin/busybox",
  "/usr/sbin/busybox",
];

/** The one in PATH comes first: not every distribution has it in one of these places. */
function busyboxPlaces(): readonly string[] {
  const inPath = Bun.which("busybox", { PATH: process.env["PATH"] ?? "" });
  return [...(inPath === null ? [] : [inPath]), ...BUSYBOX_PLACES];
}

/**
 * Puts BusyBox at /bin/busybox. `wish`: a file, "none" to go without, null for the host's own. /bin/sh is made in the guest
 * (src/filesystems/busybox.ts): in the image the kernel would start it in place of an /init that is incomplete (init/main.c).
 */
export function addBusybox(tree: ImageTree, wish: string | null, machine: number, places = busyboxPlaces()): void {
  if (wish === "none") return;
  const hostPath = wish ?? places.find(isFile);
  if (hostPath === undefined) {
    throw new BootError("could not find BusyBox on this host: without it the image has no rescue shell", {
      seen: places.map((place) => `${place}: not there`),
      hint: "install it (Debian: apt install busybox-static), or give --busybox FILE, or --busybox none",
    });
  }
  addProgram(tree, hostPath, "/bin/busybox", machine);
}

/**
 * Puts this very program, or the file `wish`, at /init, and /bin/levain as a link to it. Returns its e_machine.
 * Throws BootError where it would not start as the first program of an initramfs: it must be one static ELF file.
 */
export function addInit(tree: ImageTree, wish: string | null): number {
  const path = wish ?? findSelf();
  const bytes = attempt(`cannot read ${path}, which should become /init`, () => readFileSync(path));
  const elf: Elf = readElf(bytes, path);
  if (elf.interpreter !== null) {
    throw new BootError(`${path} cannot be the /init of an image: it needs the loader ${elf.interpreter}`, {
      hint: "build levain with make, which gives dist/levain, and use that",
    });
  }
  putEntry(tree, { kind: "file", path: "/init", mode: 0o755, content: contentOfBytes(bytes) });
  putEntry(tree, { kind: "symlink", path: "/bin/levain", target: "/init" });
  return elf.machine;
}

/** Where levain runs from its sources the running program is Bun, so what `make` built beside them is taken. */
function findSelf(): string {
  return import.meta.dir.startsWith("/$bunfs/")
    ? "/proc/self/exe"
    : join(resolve(import.meta.dir, "../../.."), "dist", "levain");
}

function nameMachine(machine: number): string {
  return (
    Object.entries(EM)
      .find(([, number]) => number === machine)?.[0]
      .toLowerCase() ?? `machine ${machine}`
  );
}
