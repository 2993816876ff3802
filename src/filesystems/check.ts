import type { BlockDevice } from "../devices/block-devices.ts";
import type { Machine, RunResult } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { BootError, SyscallError } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { linkShell } from "./busybox.ts";

/** The programs that repair a filesystem, where the image has one. */
const CHECKERS = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

const LAST_LINES = 5;
/** fsck(8): bits of its exit status. */
const FSCK_ERRORS_LEFT = 4;
const FSCK_FAILED = 8;
/** A shell's word for a program that could not be started; above it, one that was killed. */
const NOT_STARTED = 127;

/** Runs fsck on a root that will be mounted, where the image contains the program for its type; `force`: also where it is marked clean. Throws BootError where errors are left; a program that does not work is only told. */
export function checkFilesystem(
  machine: Machine,
  device: Pick<BlockDevice, "node" | "facts">,
  mode: BootPlan["rootCheck"],
  voice: Voice,
): void {
  const { type } = device.facts;
  if (mode === "skip" || type === null || !/^[a-z0-9]+$/.test(type)) return;
  const program = CHECKERS.map((directory) => `${directory}/fsck.${type}`).find(
    (path) => machine.stat(path)?.kind === "file",
  );
  if (program === undefined) return;
  const mark = machine.kernelLogMark();
  const { status, output } = runChecker(machine, [program, "-a", ...(mode === "force" ? ["-f"] : []), device.node]);
  const lines = output.split("\n").map((line) => line.trim());
  const said = lines
    .filter((line) => line !== "")
    .slice(-LAST_LINES)
    .map(printable);
  if (status >= NOT_STARTED || (status >= FSCK_FAILED && (status & FSCK_ERRORS_LEFT) === 0)) {
    const how = describeKill(status, machine.kernelLogSince(mark), program) ?? `ended with status ${status}`;
    voice.warn(`${device.node} was not checked, ${program} ${how}: ${said.at(-1) ?? ""}`);
  } else if (status >= FSCK_ERRORS_LEFT) {
    throw new BootError(`the filesystem on ${device.node} has errors that fsck does not repair by itself`, {
      cause: new BootError(said.join("\n") || `${program} ended with status ${status}`),
      hint: `run ${program} ${device.node} by hand in the rescue shell, then \`levain retry\``,
    });
  } else if (status > 0) {
    voice.warn(`fsck repaired ${device.node}: ${said.at(-1) ?? ""}`);
  }
}

/** 128 + SIGKILL. */
const KILLED = 137;
/** TASK_COMM_LEN of linux/sched.h, without its NUL: the kernel's log has as much of a program's name. */
const COMM_CHARACTERS = 15;

/** How a program was killed, with what the kernel says of it: it names whom it kills where memory runs out, or for the secure attention key. null where it was not killed. */
function describeKill(status: number, kernel: readonly string[], program: string): string | null {
  if (status !== KILLED) return null;
  const name = `(${program.slice(program.lastIndexOf("/") + 1).slice(0, COMM_CHARACTERS)})`;
  const line = kernel.find((text) => /[Kk]illed process \d+ /.test(text) && text.includes(name));
  return `was killed by SIGKILL (${line === undefined ? "the kernel's log does not say why" : `kernel: ${printable(line)}`})`;
}

/** As a shell would say it, 127, where the program cannot be started. That of xfs and of btrfs is a script. */
function runChecker(machine: Machine, argv: readonly string[]): RunResult {
  try {
    linkShell(machine);
    return machine.run(argv, { capture: true });
  } catch (error) {
    if (error instanceof SyscallError) return { status: 127, output: describeRefusal(error) };
    throw error;
  }
}
