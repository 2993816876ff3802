import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { SyscallError } from "../../problems/errors.ts";
import { SYS, type SystemCallName } from "../abi/calls.ts";
import * as abi from "../abi/child.ts";
import { errnoName } from "../abi/constants.ts";

/** A number, or a byte array or string (NUL-terminated here) that is passed by its address. */
export type SystemCallArgument = number | string | NodeJS.TypedArray;

const WORD = FFIType.i64_fast;

/**
 * `syscall(2)` serves every call: one symbol to bind (0.2 ms), no wrapper per call, and one place that reads errno. Its six
 * arguments are passed in registers on x86-64 and aarch64, variadic or not.
 */
const libc = dlopen("libc.so.6", {
  syscall: { args: [WORD, WORD, WORD, WORD, WORD, WORD, WORD], returns: WORD },
  __errno_location: { args: [], returns: "ptr" },
}).symbols;

/** The memory of the running call, reachable from here so that the garbage collector keeps it until the next call. */
const inUse: { arguments: unknown } = { arguments: null };

const encoder = new TextEncoder();

/** Does one system call and returns its result (never -1); `subject` is for the SyscallError. */
export function systemCall(name: SystemCallName, subject: string, ...given: readonly SystemCallArgument[]): number {
  const result = callKernel(name, given);
  if (typeof result === "string") throw new SyscallError(name, result, subject);
  return result;
}

/** Does one system call; returns its result, or the errno name if it was refused. For common refusals: an exception costs as much as ten calls. Retries EINTR. */
export function callKernel(name: SystemCallName, given: readonly SystemCallArgument[]): number | string {
  const held: unknown[] = [];
  inUse.arguments = held;
  // No map or destructuring: until they are compiled, they cost more than the rest of the call.
  const number = SYS[name];
  const a = toWord(given[0], name, held);
  const b = toWord(given[1], name, held);
  const c = toWord(given[2], name, held);
  const d = toWord(given[3], name, held);
  const e = toWord(given[4], name, held);
  const f = toWord(given[5], name, held);
  for (;;) {
    const result = Number(libc.syscall(number, a, b, c, d, e, f));
    if (result !== -1) return result;
    const code = readErrno();
    if (code !== "EINTR") return code;
  }
}

/** Must directly follow a call: the runtime makes system calls of its own on the same thread. */
function readErrno(): string {
  const address = libc.__errno_location();
  return address === null ? "EIO" : errnoName(read.i32(address, 0));
}

/** Returns the register value of an argument; adds its memory to `held`. */
function toWord(argument: SystemCallArgument | undefined, call: string, held: unknown[]): number {
  if (typeof argument === "number") return argument;
  if (argument === undefined) return 0;
  const bytes = typeof argument === "string" ? cString(argument, call) : argument;
  held.push(bytes);
  return bytes.byteLength === 0 ? 0 : ptr(bytes);
}

/** Returns a NUL-terminated copy of `text`; throws SyscallError EINVAL for `call` if it contains a NUL. */
function cString(text: string, call: string): Uint8Array {
  if (text.includes("\0")) throw new SyscallError(call, "EINVAL", JSON.stringify(text));
  return encoder.encode(`${text}\0`);
}

/** Waits until a child process has ended (wait4(2)); returns its exit status, or 128 + the signal's number. */
export function waitForEnd(pid: number): number {
  const status = new Int32Array(1);
  systemCall("wait4", String(pid), pid, status, 0, 0);
  return exitStatus(status);
}

/** Like `waitForEnd` without a wait; null while the process runs. */
export function findEnd(pid: number): number | null {
  const status = new Int32Array(1);
  return systemCall("wait4", String(pid), pid, status, abi.WNOHANG, 0) === 0 ? null : exitStatus(status);
}

/** Polls `look` until it returns a value; returns null after `limitMs`. For calls that a hanging disk could block indefinitely. */
export function pollBriefly<T>(look: () => T | null, limitMs: number): T | null {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== null || performance.now() > untilMs) return found;
    Bun.sleepSync(1);
  }
}

function exitStatus([word = 0]: Int32Array): number {
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}

/** A program to start, for `spawnProcess`. */
export interface SpawnRequest {
  /** argv[0] is the path of the program. */
  readonly argv: readonly string[];
  /** "NAME=value" each. */
  readonly environment: readonly string[];
  /** A tty node: the program leads a new session, with this as its controlling terminal and its descriptors 0–2. */
  readonly terminal: string | null;
  /** The descriptor for its stdout and stderr; null: ours. */
  readonly outputFd: number | null;
  /** The descriptor for its stdin; undefined: ours. */
  readonly inputFd?: number;
  /** Its descriptors 0 and 1, copies of ours above 2; it leads a process group of its own. */
  readonly ends?: readonly [number, number];
}

/**
 * Starts a program by posix_spawn(3) and returns its process id. Every signal has its default action (the runtime ignores SIGPIPE
 * and SIGXFSZ, which a child would inherit) and none is blocked. The caller waits for it by `waitForEnd`.
 */
export function spawnProcess(request: SpawnRequest): number {
  const call = "posix_spawn";
  const [path = ""] = request.argv;
  const spawn = openSpawnCalls();
  const attributes = new Uint8Array(abi.POSIX_SPAWN_STRUCT_SIZE);
  const actions = new Uint8Array(abi.POSIX_SPAWN_STRUCT_SIZE);
  const signals = { all: new Uint8Array(abi.SIGSET_SIZE).fill(0xff), none: new Uint8Array(abi.SIGSET_SIZE) };
  const strings = { path: cString(path, call), terminal: cString(request.terminal ?? "", call) };
  const argv = pointerList(request.argv, call);
  const environment = pointerList(request.environment, call);
  inUse.arguments = [attributes, actions, signals, strings, argv, environment];

  const setSession = request.terminal === null ? 0 : abi.POSIX_SPAWN_SETSID;
  const setGroup = request.ends === undefined ? 0 : abi.POSIX_SPAWN_SETPGROUP;
  const flags = abi.POSIX_SPAWN_SETSIGDEF | abi.POSIX_SPAWN_SETSIGMASK | setSession | setGroup;
  spawn.posix_spawnattr_init(attributes);
  spawn.posix_spawnattr_setflags(attributes, flags);
  spawn.posix_spawnattr_setsigdefault(attributes, signals.all);
  spawn.posix_spawnattr_setsigmask(attributes, signals.none);
  spawn.posix_spawn_file_actions_init(actions);
  // A session leader without a terminal gets the first tty that it opens. glibc calls setsid before these actions.
  if (request.terminal !== null) spawn.posix_spawn_file_actions_addopen(actions, 0, strings.terminal, 2, 0);
  const outputFd = request.terminal !== null ? 0 : request.outputFd;
  for (const fd of outputFd === null ? [] : [1, 2]) spawn.posix_spawn_file_actions_adddup2(actions, outputFd ?? fd, fd);
  if (request.inputFd !== undefined) spawn.posix_spawn_file_actions_adddup2(actions, request.inputFd, 0);
  for (const [fd, own] of (request.ends ?? []).entries()) spawn.posix_spawn_file_actions_adddup2(actions, own, fd);

  const pid = new Int32Array(1);
  const errno = spawn.posix_spawn(pid, strings.path, actions, attributes, argv.pointers, environment.pointers);
  spawn.posix_spawn_file_actions_destroy(actions);
  spawn.posix_spawnattr_destroy(attributes);
  if (errno !== 0) throw new SyscallError(call, errnoName(errno), path);
  return pid[0] ?? 0;
}

function pointerList(texts: readonly string[], call: string): { pointers: BigUint64Array; strings: Uint8Array[] } {
  const strings = texts.map((text) => cString(text, call));
  return { pointers: BigUint64Array.from([...strings.map((text) => BigInt(ptr(text))), 0n]), strings };
}

/** Bound at the first use: a boot that starts no program does not pay for it. */
function openSpawnCalls() {
  return dlopen("libc.so.6", {
    posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    posix_spawnattr_init: { args: ["ptr"], returns: "i32" },
    posix_spawnattr_destroy: { args: ["ptr"], returns: "i32" },
    posix_spawnattr_setflags: { args: ["ptr", "i32"], returns: "i32" },
    posix_spawnattr_setsigdefault: { args: ["ptr", "ptr"], returns: "i32" },
    posix_spawnattr_setsigmask: { args: ["ptr", "ptr"], returns: "i32" },
    posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
    posix_spawn_file_actions_destroy: { args: ["ptr"], returns: "i32" },
    posix_spawn_file_actions_addopen: { args: ["ptr", "i32", "ptr", "i32", "u32"], returns: "i32" },
    posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
  }).symbols;
}
