import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { ByteSource } from "../../formats/facts.ts";
import { readProgramFile } from "../../formats/program-file.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt, isFile } from "../host.ts";
import { refuseReserved } from "../image/reserved.ts";
import { type Elf, isElf, nameMachine, readElf } from "./elf.ts";
import { findSelf, initProgram, initProgramKinds, type RuntimeKind } from "./init-program.ts";
import { findLibraries } from "./libraries.ts";

/**
 * Adds the program `hostPath` as `imagePath` with mode 0755, with its loader and libraries if it is dynamically linked, and with
 * its interpreter if it is a script. Throws BootError if it is neither a script nor an ELF program for `machine` (e_machine).
 */
export function addProgram(tree: ImageTree, hostPath: string, imagePath: string, machine: number): void {
  refuseReserved(hostPath, imagePath);
  const bytes = attempt(`cannot add the program ${hostPath}`, () => readFileSync(hostPath));
  const program = readProgramFile(sourceOf(bytes));
  if (program.format === "script") {
    putEntry(tree, { kind: "file", path: imagePath, mode: 0o755, content: contentOfBytes(bytes) });
    addInterpreter(tree, hostPath, program.interpreter, machine);
    return;
  }
  if (!isElf(bytes)) {
    throw new BootError(`cannot add the program ${hostPath}: neither an ELF file nor a script`, {
      hint: "add data with --add SRC:DST",
    });
  }
  const elf = readElf(bytes, hostPath);
  refuseOtherMachine(
    `cannot add the program ${hostPath}`,
    elf,
    machine,
    `choose a program for ${nameMachine(machine)}, or the levain for its architecture with --init FILE`,
  );
  putEntry(tree, { kind: "file", path: imagePath, mode: 0o755, content: contentOfBytes(bytes) });
  for (const library of findLibraries(hostPath, elf)) {
    const content = contentOfBytes(attempt(`cannot add ${library.hostPath}`, () => readFileSync(library.hostPath)));
    putEntry(tree, { kind: "file", path: library.imagePath, mode: 0o755, content });
  }
}

function refuseOtherMachine(what: string, elf: Elf, machine: number, hint: string): void {
  if (elf.machine === machine) return;
  throw new BootError(`${what}: it is for ${nameMachine(elf.machine)}, but /init is for ${nameMachine(machine)}`, {
    hint,
  });
}

/** The boot links it to BusyBox (src/filesystems/busybox.ts). */
const LINKED_SHELL = "/bin/sh";

function addInterpreter(tree: ImageTree, script: string, interpreter: string, machine: number): void {
  if (interpreter === LINKED_SHELL) return;
  const isSearch = basename(interpreter) === "env";
  const content = isSearch
    ? null
    : attempt(`cannot add ${interpreter}, the interpreter of ${script}`, () => readFileSync(interpreter));
  if (content !== null && isElf(content)) {
    addProgram(tree, interpreter, interpreter, machine);
    return;
  }
  const why = isSearch
    ? "its interpreter is looked up on the path"
    : `its interpreter ${interpreter} is not an ELF file`;
  throw new BootError(`cannot add the script ${script}: ${why}`, {
    hint: `write the path of the interpreter, such as #!${LINKED_SHELL}`,
  });
}

function sourceOf(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

// Debian's busybox and busybox-static, Fedora's, Alpine's, openSUSE's busybox-static; initramfs-tools uses the dynamically linked one of Debian's installer.
const BUSYBOX_PLACES = [
  "/bin/busybox",
  "/usr/bin/busybox",
  "/bin/busybox.static",
  "/sbin/busybox",
  "/usr/sbin/busybox",
  "/usr/bin/busybox-static",
];

/** In BusyBox's table of applet names, each with its NUL (applet_names of include/applet_tables.h). */
const SHELL_APPLET = "\0sh\0";

/** PATH comes first: not every distribution uses one of these paths. */
function busyboxPlaces(): readonly string[] {
  return [Bun.which("busybox", { PATH: process.env["PATH"] ?? "" }) ?? [], BUSYBOX_PLACES].flat();
}

/** Returns the path of this host's BusyBox. Throws BootError if it has none. */
export function findBusybox(places = busyboxPlaces()): string {
  const found = places.find(isFile);
  if (found !== undefined) return found;
  throw new BootError("cannot find BusyBox on this host: without it the image has no rescue shell", {
    seen: places.map((place) => `${place}: not found`),
    hint: "install it (Debian: apt install busybox-static), or use --busybox FILE or --busybox none",
  });
}

/**
 * Adds BusyBox as /bin/busybox. `request` is a file, "none", or null for the host's own. The boot creates /bin/sh
 * (src/filesystems/busybox.ts): in the image, the kernel would start it instead of a truncated /init (init/main.c).
 */
export function addBusybox(tree: ImageTree, request: string | null, machine: number, places = busyboxPlaces()): void {
  if (request === "none") return;
  const hostPath = request ?? findBusybox(places);
  const bytes = attempt(`cannot read ${hostPath}`, () => readFileSync(hostPath));
  // A script would need a shell, and the image's only shell is BusyBox.
  if (!isElf(bytes) || !bytes.includes(SHELL_APPLET)) {
    const fault = isElf(bytes) ? "it has no applet sh" : "it is not an ELF file";
    throw new BootError(`${hostPath} cannot be the image's BusyBox: ${fault}`, {
      hint: "use another with --busybox FILE (Debian: apt install busybox-static), or --busybox none",
    });
  }
  refuseOtherMachine(
    `${hostPath} cannot be the image's BusyBox`,
    readElf(bytes, hostPath),
    machine,
    `name one for ${nameMachine(machine)} with --busybox FILE (Debian: busybox-static), or leave it out with --busybox none`,
  );
  addProgram(tree, hostPath, "/bin/busybox", machine);
}

/**
 * Adds this program, or the file `request`, as /init, and /bin/levain as a link to it; `choose` returns one of the kinds of
 * runtime that it has. Throws BootError if it is not a static ELF file, which alone starts as the first program of an initramfs.
 */
export function addInit(
  tree: ImageTree,
  request: string | null,
  choose: (kinds: readonly RuntimeKind[]) => RuntimeKind,
): { readonly machine: number; readonly isCompressed: boolean } {
  const path = request ?? findSelf();
  const { content, isCompressed, machine, interpreter } = initProgram(choose(initProgramKinds(path)), path);
  if (interpreter !== null) {
    throw new BootError(`${path} cannot be /init: it needs the loader ${interpreter}`, {
      hint: "build levain with make and use dist/levain",
    });
  }
  putEntry(tree, { kind: "file", path: "/init", mode: 0o755, content });
  putEntry(tree, { kind: "symlink", path: "/bin/levain", target: "/init" });
  return { machine, isCompressed };
}
