import type { BlockDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import type { RunResult } from "../machine/child.ts";
import type { OnWait } from "../machine/kernel.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { unlessRefused } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import { createWaitNotice } from "../problems/wait-notice.ts";
import { linkShell } from "./busybox.ts";

/** The directories in which an image may have fsck.TYPE. */
export const CHECKER_PLACES = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

/** As systemd-fsck passes them on. */
const REPAIR_OPTIONS = { preen: "-a", yes: "-y", no: "-n" } as const;
const LAST_LINES = 5;
/** fsck(8): bits of its exit status. */
const FSCK_ERRORS_LEFT = 4;
const FSCK_FAILED = 8;
/** The status of a shell for a program that could not be started; above it: one that was killed. */
const NOT_STARTED = 127;

/** Runs fsck on a root before the mount, if the image has the program for its type. Throws BootError if errors are left; a program that fails otherwise is only a warning. */
export function checkFilesystem(
  { machine, voice }: Pick<Context, "machine" | "voice">,
  device: Pick<BlockDevice, "node" | "facts">,
  { rootCheck, rootRepair }: Pick<BootPlan, "rootCheck" | "rootRepair">,
): void {
  const { type } = device.facts;
  if (rootCheck === "skip" || type === null || !/^[a-z0-9]+$/.test(type)) return;
  const programs = CHECKER_PLACES.map((directory) => `${directory}/fsck.${type}`);
  const program = programs.find((path) => machine.stat(path)?.kind === "file");
  if (program === undefined) return;
  const mark = machine.kernelLogMark();
  const force = rootCheck === "force" ? ["-f"] : [];
  const notice = createWaitNotice(voice);
  const { status, output } = runChecker(
    machine,
    [program, REPAIR_OPTIONS[rootRepair], ...force, device.node],
    (waitedMs) => notice(`fsck.${type} of ${device.node}`, waitedMs, null),
  );
  const lines = output.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "").slice(-LAST_LINES);
  if (status >= NOT_STARTED || (status >= FSCK_FAILED && (status & FSCK_ERRORS_LEFT) === 0)) {
    const how = describeKill(status, machine.kernelLogSince(mark), program) ?? `ended with status ${status}`;
    voice.warn(`${device.node} was not checked, ${program} ${how}: ${printable(said.at(-1) ?? "")}`);
  } else if (status >= FSCK_ERRORS_LEFT) {
    throw problem("filesystem-has-errors", { node: device.node, program, status, output: said, repair: rootRepair });
  } else if (status > 0) {
    voice.warn(`fsck repaired ${device.node}: ${printable(said.at(-1) ?? "")}`);
  }
}

/** 128 + SIGKILL. */
const KILLED = 137;
/** TASK_COMM_LEN of linux/sched.h without its NUL: the kernel logs that much of a program's name. */
const COMM_CHARACTERS = 15;

/** Says how a program was killed: the kernel logs what it kills when memory runs out, or for the secure attention key. Returns null if it was not killed. */
function describeKill(status: number, kernel: readonly string[], program: string): string | null {
  if (status !== KILLED) return null;
  const name = `(${program.slice(program.lastIndexOf("/") + 1).slice(0, COMM_CHARACTERS)})`;
  const line = kernel.find((text) => /[Kk]illed process \d+ /.test(text) && text.includes(name));
  return `was killed by SIGKILL (${line === undefined ? "the kernel's log does not say why" : `kernel: ${printable(line)}`})`;
}

/** Returns 127, as a shell does, if the program cannot be started. Some checkers are scripts, so /bin/sh has to exist. */
function runChecker(machine: Machine, argv: readonly string[], onWait: OnWait): RunResult {
  const run = () => {
    linkShell(machine);
    return machine.run(argv, { capture: true, onWait });
  };
  return unlessRefused(run, (refusal) => ({ status: NOT_STARTED, output: describeRefusal(refusal) }));
}
