import { withReader } from "../../devices/block-devices.ts";
import { findMountOf, readMounts } from "../../filesystems/mounts.ts";
import { resolveIn } from "../../filesystems/resolve.ts";
import { type ProgramFile, readProgramFile } from "../../formats/program-file.ts";
import { describeKind } from "../../machine/file-kinds.ts";
import type { Machine } from "../../machine/machine.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { objectToShell } from "../../rescue/shell-init.ts";
import { objectToStore } from "../../rescue/store-init.ts";
import { findInitCauses } from "./init-causes.ts";

type Shell = BootPlan["rescue"]["shell"];

/** The kernel's default inits (init/main.c); the last is for the repair of a system. */
export const KERNEL_INITS = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"] as const;

/** e_machine of elf.h for the names of uname(2). */
const ELF_MACHINES: Readonly<Record<string, readonly number[]>> = { x86_64: [62, 3], aarch64: [183, 40] };

/** The kernel's limit for interpreters of interpreters (exec_binprm() of fs/exec.c). */
const MOST_INTERPRETERS = 5;

/** Returns the program to start in the new root: `asked`, or the first of the kernel's list that can be started; a shell only if `shell` allows it. Checks everything that can be checked without starting it. Throws BootError. */
export function chooseInit(machine: Machine, root: string, asked: string | null, shell: Shell): string {
  const candidates = asked === null ? KERNEL_INITS : [asked];
  const objections: string[] = [];
  for (const path of candidates) {
    const objection =
      objectTo(machine, root, path) ??
      objectToShell(machine, root, path, shell) ??
      objectToStore(machine, root, path, shell);
    if (objection === null) return path;
    objections.push(`${printable(path)}: ${objection}`);
  }
  const seen = listRoot(machine, root);
  const causes = root === "/" ? [] : findInitCauses({ machine, root, candidates });
  if (asked !== null) throw problem("init-refused", { init: asked, objections, causes }, { seen });
  if (root === "/" && (shell === false || shell === "ask")) {
    throw problem("system-missing", { objections, causes, by: `rdshell=${shell || "0"}` }, { seen });
  }
  throw problem("init-missing", { objections, causes }, { seen });
}

/** Says why `path` in the tree at `root` cannot be an init; null if it can. It has to be an executable file that is ELF of this machine or a script, and so has its loader or interpreter. */
function objectTo(machine: Machine, root: string, path: string, depth = 0): string | null {
  if (!path.startsWith("/")) return "is not an absolute path";
  const real = resolveIn(machine, root, path);
  const status = real === null ? null : machine.stat(real);
  if (real === null || status === null) return describeAbsence(machine, root, path);
  if (status.kind !== "file") return `is ${describeKind(status.kind)}`;
  if ((status.mode & 0o111) === 0) return "is not executable";
  if (isNoexec(machine, real))
    return "lies on a filesystem that is mounted with noexec: remove noexec and user from rootflags=";
  return objectToContent(machine, root, withReader(machine, real, readProgramFile), depth);
}

/** True if the kernel starts no program there. */
function isNoexec(machine: Machine, path: string): boolean {
  return findMountOf(readMounts(machine), path)?.options.split(",").includes("noexec") === true;
}

/** Says why nothing is at `path`. Only the path itself is checked for a dangling link. */
function describeAbsence(machine: Machine, root: string, path: string): string {
  const here = `${root === "/" ? "" : root}${path}`;
  if (machine.lstat(here)?.kind !== "symlink") return "does not exist";
  const target = machine.readLink(here);
  // Of a tree that was made below another directory: "/srv/root/usr/lib/systemd/systemd".
  const inside = [...target.matchAll(/\//g)]
    .map(({ index }) => target.slice(index))
    .find((end, index) => index > 0 && target.startsWith("/") && resolveIn(machine, root, end) !== null);
  const cure = inside === undefined ? "" : `: in this root it is ${printable(inside)}`;
  return `is a symbolic link to ${printable(target)}, which cannot be resolved${cure}`;
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
  const isForeign = ELF_MACHINES[here]?.includes(program.machine) === false;
  if (isForeign) return `is a program for another architecture than ${here}`;
  if (program.loader === null) return null;
  const objection = objectTo(machine, root, program.loader, depth + 1);
  return objection && `needs the loader ${printable(program.loader)}, which ${objection}`;
}

function listRoot(machine: Machine, root: string): readonly string[] {
  const names = machine.listDirectory(root).slice(0, 24).map(printable);
  return names.length > 0 ? [`in the root: ${names.join(" ")}`] : ["an empty root"];
}
