import { BootError } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { printable } from "../report.ts";
import { resolveIn } from "./resolve.ts";

/** Where the kernel itself looks (init/main.c). */
export const KERNEL_INITS = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"] as const;

/** e_machine of elf.h for the names of uname(2). */
const ELF_MACHINES: Readonly<Record<string, readonly number[]>> = {
  x86_64: [62, 3],
  aarch64: [183, 40],
};

/** The program that will be started in the new root: the one asked for, else the first of the kernel's list; checked as far as can be without starting it. */
export function chooseInit(machine: Machine, root: string, asked: string | null): string {
  const candidates = asked === null ? KERNEL_INITS : [asked];
  const objections: string[] = [];
  for (const path of candidates) {
    const objection = objectTo(machine, root, path);
    if (objection === null) return path;
    objections.push(`${printable(path)}: ${objection}`);
  }
  throw new BootError(asked === null ? "the root has no init" : `the root's init ${printable(asked)} cannot be started`, {
    cause: new BootError(objections.join("\n")),
    seen: listRoot(machine, root),
    hint:
      asked === null
        ? "is this the right root? correct root=, or name the program with init="
        : "correct init=, or leave it out: then /sbin/init and the kernel's other places are tried",
  });
}

/** Why `path` in the tree at `root` cannot be an init, or null: it must exist, be a file, be executable, and be ELF of this machine or a script whose interpreter is all that too. */
function objectTo(machine: Machine, root: string, path: string, depth = 0): string | null {
  if (!path.startsWith("/")) return "is not an absolute path";
  const real = resolveIn(machine, root, path);
  if (real === null) return "does not exist";
  const status = machine.stat(real);
  if (status === null) return "does not exist";
  if (status.kind !== "file") return `is a ${status.kind}`;
  if ((status.mode & 0o111) === 0) return "is not executable";
  const head = readHead(machine, real);
  if (head[0] === 0x23 && head[1] === 0x21) return objectToScript(machine, root, head, depth);
  return objectToElf(machine, head);
}

function objectToScript(machine: Machine, root: string, head: Uint8Array, depth: number): string | null {
  const line = new TextDecoder("latin1").decode(head.subarray(2)).split("\n", 1)[0] ?? "";
  const [interpreter = ""] = line.trim().split(/[ \t]+/, 1);
  if (interpreter === "") return "is a script that names no interpreter";
  if (depth >= 4) return "is a script of a script of a script: the kernel gives up";
  const objection = objectTo(machine, root, interpreter, depth + 1);
  return objection === null ? null : `is a script, and its interpreter ${printable(interpreter)} ${objection}`;
}

function objectToElf(machine: Machine, head: Uint8Array): string | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 20 || view.getUint32(0, false) !== 0x7f454c46) return "is neither an ELF program nor a script";
  const { machine: here } = machine.release();
  const known = ELF_MACHINES[here];
  if (known !== undefined && !known.includes(view.getUint16(18, head[5] !== 2))) return `is a program for another machine than this ${here}`;
  return null;
}

/** As much as the kernel itself looks at: BINPRM_BUF_SIZE bytes. */
function readHead(machine: Machine, path: string): Uint8Array {
  const reader = machine.openReader(path);
  try {
    return reader.read(0, 256);
  } finally {
    reader.close();
  }
}

function listRoot(machine: Machine, root: string): readonly string[] {
  const names = machine.listDirectory(root).slice(0, 24).map(printable);
  return names.length > 0 ? [`in the root: ${names.join(" ")}`] : ["an empty root"];
}
