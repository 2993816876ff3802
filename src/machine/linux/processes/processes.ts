import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import { MFD_CLOEXEC, RLIMIT_NOFILE, SIGHUP, SIGQUIT } from "../../abi/constants.ts";
import { POLLIN, TIOCOUTQ } from "../../abi/terminal.ts";
import type { Processes } from "../../child.ts";
import type { Handover } from "../../handover.ts";
import type { OnWait } from "../../kernel.ts";
import { closing, takeStage0Fd, writeAll } from "../descriptors.ts";
import { callKernel, findEnd, type SpawnRequest, spawnProcess, systemCall, waitForEnd } from "../libc.ts";
import { poll } from "../poll.ts";
import { writeToTerminal } from "../terminals/terminals.ts";
import { withEcho } from "../terminals/termios.ts";

/** stage0's variable with the descriptor of its pipe. */
const HANDOVER_VARIABLE = "LEVAIN_HANDOVER_FD";
/** stage0's variables for the runtime (build/stage0/load.c). */
const RUNTIME_VARIABLES = /^BUN_JSC_threshold/;
const HANDOVER_MAGIC = "levain1";
/** How systemd gets the state of a systemd in the initramfs: from descriptor 3 (STATE_FD of build/stage0/stage0.h). */
const SYSTEMD_ARGUMENTS = ["--switched-root", "--system", "--deserialize", "3"];
/** The kernel starts init without PATH. */
const DEFAULT_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const OUTPUT_LIMIT_BYTES = 64 << 10;
const CONSOLE_FD = 1;
/** How often a program is looked at where the kernel gives no descriptor of it. */
const LOOK_MS = 50;
/** INR_OPEN_CUR of linux/fs.h. */
const DEFAULT_OPEN_FILES = 1024;

/** Implements other programs, the console and the handover. */
export function createLinuxProcesses(): Processes {
  const handoverFd = takeHandoverFd();
  if (handoverFd !== null) restoreOpenFileLimit();
  return {
    isBoot: handoverFd !== null,
    run(argv, options = {}) {
      const request = { argv, environment: listEnvironment(options.environment ?? {}), terminal: null };
      const { onWait } = options;
      const runToEnd = (full: SpawnRequest) => waitAloud(spawnProcess(full), onWait);
      if (options.capture !== true) return { status: runToEnd({ ...request, outputFd: null }), output: "" };
      const { input } = options;
      // A file in memory, not a pipe: a daemon that the program leaves behind cannot block us.
      return closing(systemCall("memfd_create", "output", "output", MFD_CLOEXEC), (outputFd) => {
        const run = (more = {}) => runToEnd({ ...request, outputFd, ...more });
        const status = input === undefined ? run() : withInput(input, (inputFd) => run({ inputFd }));
        return { status, output: readOutput(outputFd) };
      });
    },
    runOnTerminal(argv, terminal, environment, onStart, meanwhile = null) {
      const request = { argv, environment: listEnvironment(environment), terminal, outputFd: null };
      return withEcho(terminal, () => runBeside(request, onStart, meanwhile));
    },
    hangUp,
    restartInit: () => void systemCall("kill", "1", 1, SIGQUIT),
    handOver(handover) {
      if (handoverFd === null) throw new SyscallError("write", "EBADF", "handover");
      writeAll(handoverFd, encodeHandover(handover), "handover");
      process.exit(0);
    },
    writeConsole: (text, node) => (node === undefined ? writeConsole(text) : writeToTerminal(node, text)),
  };
}

/** A file in memory, not a pipe: a program that does not read its input cannot block levain. */
function withInput(input: string, act: (fd: number) => number): number {
  return closing(systemCall("memfd_create", "input", "input", MFD_CLOEXEC), (fd) => {
    fs.writeSync(fd, input);
    return closing(fs.openSync(`/proc/self/fd/${fd}`, "r"), act);
  });
}

/** Returns the descriptor of stage0's pipe; null outside a boot. */
function takeHandoverFd(): number | null {
  for (const name of Object.keys(process.env)) if (RUNTIME_VARIABLES.test(name)) delete process.env[name];
  return takeStage0Fd(HANDOVER_VARIABLE);
}

/** The runtime raises the soft limit to the hard one; programs that use select(2) need the kernel's default. */
function restoreOpenFileLimit(): void {
  const limits = new BigUint64Array(2);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, 0, limits);
  if ((limits[0] ?? 0n) <= BigInt(DEFAULT_OPEN_FILES)) return;
  limits[0] = BigInt(DEFAULT_OPEN_FILES);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, limits, 0);
}

/** Our environment, overridden by `more`. */
function listEnvironment(more: Readonly<Record<string, string>>): string[] {
  const all = { PATH: DEFAULT_PATH, ...process.env, ...more };
  return Object.entries(all).map(([name, value]) => `${name}=${value ?? ""}`);
}

function waitAloud(pid: number, onWait: OnWait | undefined): number {
  if (onWait === undefined) return waitForEnd(pid);
  const startMs = performance.now();
  const waitBy = (wait: (ms: number) => void) => {
    for (;;) {
      wait(onWait(performance.now() - startMs));
      const status = findEnd(pid);
      if (status !== null) return status;
    }
  };
  // Linux has it since 5.3. A program that runs must not count as one that could not be started: fsck would go on below the mount.
  const pidfd = callKernel("pidfd_open", [pid, 0]);
  if (typeof pidfd === "string") return waitBy((ms) => Bun.sleepSync(Math.min(LOOK_MS, ms)));
  return closing(pidfd, (fd) => waitBy((ms) => poll([{ fd, events: POLLIN }], ms, "pidfd")));
}

/** Returns the exit status, or 128 + the signal's number. */
function runBeside(request: SpawnRequest, onStart: (pid: number) => void, meanwhile: (() => void) | null): number {
  const pid = spawnProcess(request);
  onStart(pid);
  if (meanwhile === null) return waitForEnd(pid);
  for (;;) {
    const status = findEnd(pid);
    if (status !== null) return status;
    meanwhile();
  }
}

function hangUp(pid: number): void {
  // 0 and below are process groups, and process 1 must not end.
  if (!Number.isInteger(pid) || pid <= 1) throw new SyscallError("kill", "EINVAL", String(pid));
  const result = callKernel("kill", [pid, SIGHUP]);
  if (typeof result === "string" && result !== "ESRCH") throw new SyscallError("kill", result, String(pid));
}

function readOutput(fd: number): string {
  const buffer = new Uint8Array(OUTPUT_LIMIT_BYTES);
  const length = fs.readSync(fd, buffer, 0, buffer.length, 0);
  return Buffer.from(buffer.subarray(0, length)).toString("utf8");
}

/** Encodes the handover for stage0: NUL-terminated strings, lists after their length, "end" as the proof that nothing is missing. */
export function encodeHandover(handover: Handover): Uint8Array {
  const { mode, root, putOld, init, isSystemd, argv, environment } = handover;
  const strings = [HANDOVER_MAGIC, mode, root, putOld ?? "", init, isSystemd ? "systemd" : ""];
  const words = isSystemd ? [...argv, ...SYSTEMD_ARGUMENTS] : argv;
  strings.push(String(words.length), ...words, String(environment.length), ...environment, "end");
  const bad = strings.find((text) => text.includes("\0"));
  if (bad !== undefined) throw new SyscallError("execve", "EINVAL", JSON.stringify(bad));
  return Buffer.from(strings.map((text) => `${text}\0`).join(""));
}

function writeConsole(text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  // A slow serial line, or one that flow control blocks, may refuse for a while.
  for (let refusals = 0; done < bytes.length && refusals < 100; ) {
    try {
      done += fs.writeSync(CONSOLE_FD, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      refusals++;
      Bun.sleepSync(1);
    }
  }
}

/** Waits until a serial line has sent its buffer, at most 4 KiB and 5 s; gives up on a line that flow control blocks. */
export function drainConsole(): void {
  const unsent = new Int32Array(1);
  for (let turn = 0; turn < 250; turn++) {
    if (typeof callKernel("ioctl", [CONSOLE_FD, TIOCOUTQ, unsent]) === "string" || unsent[0] === 0) return;
    Bun.sleepSync(20);
  }
}
