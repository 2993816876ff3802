import * as fs from "node:fs";
import { isErrno, SyscallError } from "../../../problems/errors.ts";
import { F_SETFD, FD_CLOEXEC, MFD_CLOEXEC, RLIMIT_NOFILE, SIGHUP } from "../../abi.ts";
import { TIOCOUTQ } from "../../abi-terminal.ts";
import type { Handover, Processes } from "../../machine.ts";
import { callKernel, type SpawnRequest, spawnProcess, systemCall } from "../libc.ts";
import { withEcho } from "../terminals/termios.ts";
import { waitForEnd } from "./wait.ts";

/** stage0 says in it which descriptor is its pipe. */
const HANDOVER_VARIABLE = "LEVAIN_HANDOVER_FD";
/** What stage0 says to the runtime (build/stage0/load.c). */
const RUNTIME_VARIABLES = /^BUN_JSC_threshold/;
const STAGE0_PID = 1;
const HANDOVER_MAGIC = "levain1";
/** The kernel starts init without one. */
const DEFAULT_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const OUTPUT_LIMIT_BYTES = 64 << 10;
const CONSOLE_FD = 1;
/** INR_OPEN_CUR of linux/fs.h. */
const DEFAULT_OPEN_FILES = 1024;

/** The programs this one starts, and the one that takes over. */
export function createLinuxProcesses(): Processes {
  const handoverFd = takeHandoverFd();
  if (handoverFd !== null) restoreOpenFileLimit();
  return {
    isBoot: handoverFd !== null,
    run(argv, options = {}) {
      const environment = listEnvironment(options.environment ?? {});
      if (options.capture !== true) {
        return { status: runToEnd({ argv, environment, terminal: null, outputFd: null }), output: "" };
      }
      // A file in memory and not a pipe: a daemon that the program leaves behind cannot hold us up.
      const outputFd = systemCall("memfd_create", "output", "output", MFD_CLOEXEC);
      try {
        const status = runToEnd({ argv, environment, terminal: null, outputFd });
        return { status, output: readOutput(outputFd) };
      } finally {
        fs.closeSync(outputFd);
      }
    },
    runOnTerminal(argv, terminal, environment, onStart) {
      const request = { argv, environment: listEnvironment(environment), terminal, outputFd: null };
      return withEcho(terminal, () => runToEnd(request, onStart));
    },
    hangUp,
    handOver(handover) {
      if (handoverFd === null) throw new SyscallError("write", "EBADF", "handover");
      const message = encodeHandover(handover);
      for (let done = 0; done < message.length; ) done += fs.writeSync(handoverFd, message, done);
      process.exit(0);
    },
    writeConsole,
  };
}

/** The descriptor of stage0's pipe; null where we are not the boot. No program that we start shall have it or know of it. */
function takeHandoverFd(): number | null {
  const value = process.env[HANDOVER_VARIABLE] ?? "";
  delete process.env[HANDOVER_VARIABLE];
  for (const name of Object.keys(process.env)) if (RUNTIME_VARIABLES.test(name)) delete process.env[name];
  if (!/^\d{1,4}$/.test(value) || process.ppid !== STAGE0_PID) return null;
  try {
    systemCall("fcntl", HANDOVER_VARIABLE, Number(value), F_SETFD, FD_CLOEXEC);
    return Number(value);
  } catch (error) {
    // Somebody else's variable: nothing is open there.
    if (isErrno(error, "EBADF")) return null;
    throw error;
  }
}

/** The runtime raises the soft limit to the hard one; programs that use select(2) want the kernel's back. */
function restoreOpenFileLimit(): void {
  const limits = new BigUint64Array(2);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, 0, limits);
  if ((limits[0] ?? 0n) <= BigInt(DEFAULT_OPEN_FILES)) return;
  limits[0] = BigInt(DEFAULT_OPEN_FILES);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, limits, 0);
}

/** Ours, with `more` on top of it. */
function listEnvironment(more: Readonly<Record<string, string>>): string[] {
  const all = { PATH: DEFAULT_PATH, ...process.env, ...more };
  return Object.entries(all).map(([name, value]) => `${name}=${value ?? ""}`);
}

/** The exit status, or 128 + the signal's number. */
function runToEnd(request: SpawnRequest, onStart?: (pid: number) => void): number {
  const pid = spawnProcess(request);
  onStart?.(pid);
  return waitForEnd(pid);
}

function hangUp(pid: number): void {
  // 0 and below are groups of processes, and 1 is not ours to end.
  if (!Number.isInteger(pid) || pid <= 1) throw new SyscallError("kill", "EINVAL", String(pid));
  try {
    systemCall("kill", String(pid), pid, SIGHUP);
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

function readOutput(fd: number): string {
  const buffer = new Uint8Array(OUTPUT_LIMIT_BYTES);
  const length = fs.readSync(fd, buffer, 0, buffer.length, 0);
  return Buffer.from(buffer.subarray(0, length)).toString("utf8");
}

/** What stage0 reads: NUL-terminated strings, the lists with their length before them, "end" as the proof that nothing is missing. */
export function encodeHandover(handover: Handover): Uint8Array {
  const { mode, root, putOld, init, argv, environment } = handover;
  const strings = [HANDOVER_MAGIC, mode, root, putOld ?? "", init];
  strings.push(String(argv.length), ...argv, String(environment.length), ...environment, "end");
  const bad = strings.find((text) => text.includes("\0"));
  if (bad !== undefined) throw new SyscallError("execve", "EINVAL", JSON.stringify(bad));
  return Buffer.from(strings.map((text) => `${text}\0`).join(""));
}

function writeConsole(text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  // A serial line that is slow or blocked by flow control may refuse for a while, not for ever.
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

/** Waits until a serial line has sent what was written to it, which is 4 KiB and 4 s at most; not for one that is held. */
export function drainConsole(): void {
  const unsent = new Int32Array(1);
  for (let turn = 0; turn < 250; turn++) {
    if (typeof callKernel("ioctl", [CONSOLE_FD, TIOCOUTQ, unsent]) === "string" || unsent[0] === 0) return;
    Bun.sleepSync(20);
  }
}
