import type { Machine } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { fakeKeyDerivation, fakeLibraryHashes } from "./fake-argon2.ts";
import { createFakeBtrfs } from "./fake-btrfs.ts";
import { createFakeChildren, type FakeChildren } from "./fake-child.ts";
import { createFakeCiphers } from "./fake-ciphers.ts";
import { createFakeDeviceMapper } from "./fake-device-mapper.ts";
import type { FakeBlockDevice, FakeDisk } from "./fake-devices.ts";
import { createFakeFiles } from "./fake-file-calls.ts";
import type { FakeTree } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import { describeCall } from "./fake-journal.ts";
import { FakeKernel, type FakeKernelOptions } from "./fake-kernel.ts";
import { createFakeClock, createFakeEvents, createFakeKernelCalls } from "./fake-kernel-calls.ts";
import { createFakeMounts } from "./fake-mount-calls.ts";
import { createFakeProcesses, type Ended, type FakePrograms } from "./fake-processes.ts";
import { createFakeProtection } from "./fake-protection.ts";
import { createFakeTerminals, type FakeTerminals, type FakeTyping } from "./fake-terminals.ts";

export interface FakeMachineOptions extends FakeKernelOptions {
  readonly isBoot?: boolean;
  readonly programs?: FakePrograms;
  readonly release?: { readonly release: string; readonly machine: string };
  /** Images that lie in files: their bytes can be mounted by a loop device. */
  readonly images?: readonly FakeImage[];
  /** What somebody will type. */
  readonly typing?: readonly FakeTyping[];
  /** What stage0 has mounted; /proc and /dev where not given. */
  readonly mounted?: Readonly<Record<string, string>>;
}

/** What a refusal applies to: a part of the call's line in the journal. */
export interface Refusal {
  readonly call: keyof Machine;
  readonly matches: string | RegExp;
  readonly code: string;
  /** How often; always where not given. */
  times: number;
  /** What the kernel says to it in its log. */
  readonly kernelLog: readonly string[];
}

/** A machine, and what a test can do to it or ask of it beyond that. */
export interface FakeMachine extends Machine {
  /** What changed something or would have, one line each, with " → CODE" where it was refused. */
  readonly journal: string[];
  /** All that was written to the console. */
  readonly console: string[];
  /** All of the kernel's log, ours too. */
  kernelLog(): readonly string[];
  /** From here on, calls whose line in the journal contains `matches` fail with `code`. */
  refuse(
    call: keyof Machine,
    matches: string | RegExp,
    code: string,
    more?: { readonly times?: number; readonly kernelLog?: readonly string[] },
  ): void;
  plugIn(disk: FakeDisk): void;
  /** Takes a disk away, with its partitions. */
  pullOut(name: string): void;
  /** The kernel says that a device has changed. */
  change(name: string): void;
  /** A block device as it is now, also after the machine has come to an end. */
  disk(name: string): Pick<FakeBlockDevice, "content" | "readOnly"> | undefined;
  /** Uevents were lost: what is queued is gone, and the next one says so. */
  overflowEvents(): void;
  /** Descriptions of the keys that the kernel has. */
  keysInKernel(): readonly string[];
  /** The kernel says something. */
  say(text: string): void;
  /** The processes that derive keys. */
  readonly children: Omit<FakeChildren, "calls">;
  /** The terminals, and who types on them. */
  readonly terminals: Omit<FakeTerminals, "calls">;
}

const RELEASE = { release: "6.1.0-fake", machine: "x86_64" };
const MOUNTED = { "/proc": "proc", "/dev": "devtmpfs" };

/** A small model of Linux after stage0: what it claims, test/contract/ holds against the real one. */
export function fakeMachine(options: FakeMachineOptions = {}): FakeMachine {
  const kernel = new FakeKernel({
    ...options,
    files: { ...directoriesOf(options.mounted ?? MOUNTED), ...options.files },
  });
  for (const image of options.images ?? []) kernel.devices.addImage(image);
  const journal: string[] = [];
  const console: string[] = [];
  const refusals: Refusal[] = [];
  let ended: Ended | null = null;
  const end = (how: Ended): never => {
    ended = how;
    throw how;
  };
  const files = createFakeFiles(kernel);
  const { addLogonKey, removeKey } = kernel.keys;
  const terminals = createFakeTerminals(kernel, options.typing ?? []);
  const children = createFakeChildren(kernel);
  const calls = {
    ...files,
    ...{ ...createFakeMounts(kernel), ...createFakeProtection(kernel) },
    ...createFakeEvents(kernel),
    ...terminals.calls,
    ...createFakeBtrfs(kernel),
    ...createFakeDeviceMapper(kernel, files),
    ...createFakeCiphers(kernel),
    addLogonKey,
    removeKey,
    ...{ ...fakeKeyDerivation, ...fakeLibraryHashes, ...children.calls },
    ...createFakeKernelCalls(kernel, options.release ?? RELEASE),
    ...createFakeProcesses(kernel, {
      isBoot: options.isBoot ?? true,
      programs: options.programs ?? {},
      show: (text, node) => (isConsole(files, node) ? void console.push(text) : terminals.show(node, text)),
      end,
    }),
    ...createFakeClock(kernel),
  };
  for (const [target, type] of Object.entries(options.mounted ?? MOUNTED))
    calls.mount({ source: type, target, type, flags: [], options: "" });
  return {
    ...watchCalls(calls, { journal, refusals, kernel, ended: () => ended }),
    journal,
    console,
    kernelLog: () => kernel.log.map(({ text }) => text),
    refuse: (call, matches, code, { times = Number.POSITIVE_INFINITY, kernelLog = [] } = {}) =>
      void refusals.push({ call, matches, code, times, kernelLog }),
    ...handsOn(kernel),
    say: (text) => kernel.say(text),
    children,
    terminals,
    keysInKernel: () => kernel.keys.descriptions,
  };
}

/** What a test does to the disks, and asks of them. */
function handsOn(kernel: FakeKernel): Pick<FakeMachine, "plugIn" | "pullOut" | "change" | "overflowEvents" | "disk"> {
  return {
    plugIn: (disk) => kernel.arrive(disk, disk.arrivesAtMs ?? 0),
    pullOut: (name) => kernel.devices.removeDisk(name),
    change: (name) => kernel.devices.change(name),
    overflowEvents: () => kernel.devices.overflow(),
    disk: (name) => kernel.devices.byName(name),
  };
}

/** True for the terminal behind /dev/console: the last of the kernel's, or the screen, which stage0 opens where there is none. */
function isConsole({ readFile }: Pick<Machine, "readFile">, node: string | undefined): node is undefined {
  if (node === undefined) return true;
  try {
    const names = Buffer.from(readFile("/sys/class/tty/console/active")).toString().trim().split(" ");
    return node === `/dev/${names.at(-1) || "tty0"}`;
  } catch {
    return false;
  }
}

function directoriesOf(mounted: Readonly<Record<string, string>>): FakeTree {
  return Object.fromEntries(Object.keys(mounted).map((path) => [path, { directory: true as const }]));
}

interface Watch {
  readonly journal: string[];
  readonly refusals: readonly Refusal[];
  readonly kernel: FakeKernel;
  readonly ended: () => Ended | null;
}

/** The same calls, but written down, and refused where a test wants that. */
function watchCalls(calls: Machine, watch: Watch): Machine {
  const watched = Object.entries(calls).map(([name, call]) => [
    name,
    typeof call === "function" ? watchCall(name, call, calls, watch) : call,
  ]);
  return Object.fromEntries(watched) as Machine;
}

function watchCall(name: string, call: (...given: never[]) => unknown, calls: Machine, watch: Watch) {
  return (...given: unknown[]): unknown => {
    const over = watch.ended();
    if (over !== null) throw over;
    const { line, isChange } = describeCall(name, given, calls);
    const at = isChange ? watch.journal.push(line) - 1 : null;
    try {
      refuseOrNot(name, line, watch);
      return (call as (...all: unknown[]) => unknown)(...given);
    } catch (error) {
      if (at !== null && error instanceof SyscallError) watch.journal[at] = `${line} → ${error.code}`;
      throw error;
    }
  };
}

/** Calls whose refusal the real machine tells by another name. */
const SYSTEM_CALLS: Readonly<Record<string, string>> = { loadModule: "finit_module", unmount: "umount2" };

function refuseOrNot(name: string, line: string, { refusals, kernel }: Watch): void {
  const applies = ({ call, matches, times }: Refusal) =>
    call === name && times > 0 && (typeof matches === "string" ? line.includes(matches) : matches.test(line));
  const refusal = refusals.find(applies);
  if (refusal === undefined) return;
  refusal.times--;
  for (const message of refusal.kernelLog) kernel.say(message);
  throw new SyscallError(SYSTEM_CALLS[name] ?? name, refusal.code, line);
}
