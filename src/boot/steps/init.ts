import { findMountOf, readMounts } from "../../filesystems/mounts.ts";
import { resolveIn } from "../../filesystems/resolve.ts";
import { type ProgramFile, readProgramFile } from "../../formats/program-file.ts";
import type { Machine } from "../../machine/machine.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { objectToShell } from "../../rescue/shell-init.ts";

/** Where the kernel itself looks (init/main.c); the last is there for people who repair a system. */
export const KERNEL_INITS = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"] as const;

/** e_machine of elf.h for the names of uname(2). */
const ELF_MACHINES: Readonly<Record<string, readonly number[]>> = {
  x86_64: [62, 3],
  aarch64: [183, 40],
};

/** exec_binprm() of fs/exec.c: interpreters of interpreters. */
const MOST_INTERPRETERS = 5;

/** The program that will be started in the new root: the one asked for, else the first of the kernel's list; a shell only where `allowsShell`; checked as far as can be without starting it. */
export function chooseInit(machine: Machine, root: string, asked: string | null, allowsShell: boolean): string {
  const candidates = asked === null ? KERNEL_INITS : [asked];
  const objections: string[] = [];
  for (const path of candidates) {
    const objection = objectTo(machine, root, path) ?? (allowsShell ? null : objectToShell(machine, root, path));
    if (objection === null) return path;
    objections.push(`${printable(path)}: ${objection}`);
  }
  const noInit = root === "/" && !allowsShell ? NO_SYSTEM : NO_INIT;
  const { message, hint } = asked === null ? noInit : refuseInit(asked);
  throw new BootError(message, { cause: new BootError(objections.join("\n")), seen: listRoot(machine, root), hint });
}

const NO_INIT = {
  message: "the root has no init",
  hint: "is this the right root? correct root=, or name the program with init=",
};

/** The usual image has nothing but its shell to stay for. */
const NO_SYSTEM = {
  message: "the initramfs is the system here, and rdshell=0 leaves it no init to start",
  hint: "name a root with root=, or add an init to the image: levain image --add FILE:/sbin/init",
};

function refuseInit(asked: string): typeof NO_INIT {
  return {
    message: `the root's init ${printable(asked)} cannot be started`,
    hint: "correct init=, or leave it out: then /sbin/init and the kernel's other places are tried",
  };
}

/** Why `path` in the tree at `root` cannot be an init, or null: it must exist, be a file, be executable, and be ELF of this machine or a script; its loader or interpreter must be all that too. */
function objectTo(machine: Machine, root: string, path: string, depth = 0): string | null {
  if (!path.startsWith("/")) return "is not an absolute path";
  const real = resolveIn(machine, root, path);
  const status = real === null ? null : machine.stat(real);
  if (real === null || status === null) return describeAbsence(machine, root, path);
  if (status.kind !== "file") return `is a ${status.kind}`;
  if ((status.mode & 0o111) === 0) return "is not executable";
  if (isNoexec(machine, real)) return "lies on a filesystem that is mounted with noexec: take it out of rootflags=";
  return objectToContent(machine, root, readProgram(machine, real), depth);
}

/** The kernel starts nothing there, whoever asks. */
function isNoexec(machine: Machine, path: string): boolean {
  return findMountOf(readMounts(machine), path)?.options.split(",").includes("noexec") === true;
}

/** Only of the path itself: a link on the way to it is followed by its target's rules. */
function describeAbsence(machine: Machine, root: string, path: string): string {
  const here = `${root === "/" ? "" : root}${path}`;
  if (machine.lstat(here)?.kind !== "symlink") return "does not exist";
  return `is a symbolic link to ${printable(machine.readLink(here))}, which leads nowhere`;
}

function objectToContent(machine: Machine, root: string, program: ProgramFile, depth: number): string | null {
  if (program.format === "unknown") return "is neither an ELF program nor a script";
  if (depth >= MOST_INTERPRETERS) return "is a script of a script of a script: the kernel gives up";
  if (program.format === "script") {
    if (program.interpreter === "") return "is a script that names no interpreter";
    const objection = objectTo(machine, root, program.interpreter, depth + 1);
    return objection && `is a script, and its interpreter ${printable(program.interpreter)} ${objection}`;
  }
  const { machine: here } = machine.release();
  if (ELF_MACHINES[here]?.includes(program.machine) === false) {
    return `is a program for another machine than this ${here}`;
  }
  if (program.loader === null) return null;
  const objection = objectTo(machine, root, program.loader, depth + 1);
  return objection && `needs the loader ${printable(program.loader)}, which ${objection}`;
}

function readProgram(machine: Machine, path: string): ProgramFile {
  const reader = machine.openReader(path);
  try {
    return readProgramFile(reader);
  } finally {
    reader.close();
  }
}

function listRoot(machine: Machine, root: string): readonly string[] {
  const names = machine.listDirectory(root).slice(0, 24).map(printable);
  return names.length > 0 ? [`in the root: ${names.join(" ")}`] : ["an empty root"];
}
