import type { Machine } from "../../src/machine/machine.ts";
import type { MountRequest } from "../../src/machine/mounts.ts";
import type { TerminalSize } from "../../src/machine/terminals.ts";
import { fakeKeyDerivation, fakeLibraryHashes } from "./fake-argon2.ts";
import { createFakeArrays } from "./fake-arrays.ts";
import { createFakeBcache } from "./fake-bcache.ts";
import { createFakeBtrfs } from "./fake-btrfs.ts";
import type { FakeChildren } from "./fake-child.ts";
import { type FakeServersOptions, startFakeChildren } from "./fake-children.ts";
import { createFakeCiphers } from "./fake-ciphers.ts";
import { createFakeDeviceMapper } from "./fake-device-mapper.ts";
import type { FakeBlockDevice, FakeDisk } from "./fake-disk.ts";
import { createFakeFiles } from "./fake-file-calls.ts";
import type { FakeDirectory, FakeTree } from "./fake-files.ts";
import { createFakeHibernation, type FakeHibernation } from "./fake-hibernation.ts";
import type { FakeImage } from "./fake-images.ts";
import { FakeKernel, type FakeKernelOptions } from "./fake-kernel.ts";
import { createFakeClock, createFakeEvents, createFakeKernelCalls } from "./fake-kernel-calls.ts";
import { fakeMountApart } from "./fake-mount-apart.ts";
import { createFakeMounts } from "./fake-mount-calls.ts";
import { type FakeCard, FakeNetwork } from "./fake-network.ts";
import { createFakeNetworks } from "./fake-network-calls.ts";
import { openFakeNfs } from "./fake-nfs.ts";
import { createFakeProcesses, type Ended, type FakePrograms } from "./fake-processes.ts";
import { createFakeProtection } from "./fake-protection.ts";
import { createFakeRemoteDisks } from "./fake-remote-disks.ts";
import { type FakeShares, openFakeShare } from "./fake-shares.ts";
import { createFakeTerminals, type FakeTerminals, type FakeTyping, isConsole } from "./fake-terminals.ts";
import { createFakeOpenTrees } from "./fake-tree-calls.ts";
import { createFakeTrees } from "./fake-trees.ts";
import { type Refusal, watchCalls } from "./fake-watch.ts";
import { createFakeWatchdogs, type FakeWatchdog } from "./fake-watchdog.ts";

export interface FakeMachineOptions extends FakeKernelOptions, FakeServersOptions {
  readonly isBoot?: boolean;
  readonly programs?: FakePrograms;
  readonly cards?: readonly FakeCard[];
  readonly release?: { readonly release: string; readonly machine: string };
  /** Images that lie in files: their bytes can be mounted by a loop device. */
  readonly images?: readonly FakeImage[];
  /** What can be mounted by its tag, if the kernel knows the type. */
  readonly shares?: FakeShares;
  /** What efivarfs shows; what is written there stays for the next machine that gets the same. */
  readonly efiVariables?: FakeDirectory;
  readonly watchdog?: FakeWatchdog;
  /** How the kernel resumes. */
  readonly hibernation?: FakeHibernation;
  readonly typing?: readonly FakeTyping[];
  /** Of terminals that know their size, by their nodes. */
  readonly terminalSizes?: Readonly<Record<string, TerminalSize>>;
  /** What stage0 has mounted; /proc and /dev where not given. */
  readonly mounted?: Readonly<Record<string, string>>;
}

/** A machine, and what a test can do to it or ask of it beyond that. */
export interface FakeMachine extends Machine {
  /** What changed something or would have, one line each, with " → CODE" where it was refused. */
  readonly journal: string[];
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
  /** The kernel says that a device has changed; with `content`, its medium was exchanged. */
  change(name: string, content?: Uint8Array): void;
  /** A block device as it is now, also after the machine has come to an end. */
  disk(name: string): Pick<FakeBlockDevice, "content" | "readOnly"> | undefined;
  /** Uevents were lost: what is queued is gone, and the next one says so. */
  overflowEvents(): void;
  keysInKernel(): readonly string[];
  say(text: string): void;
  /** The processes that derive keys. */
  readonly children: Omit<FakeChildren, "calls">;
  readonly network: FakeNetwork;
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
  kernel.filesystems.openShare = shareOpener(kernel, options);
  const journal: string[] = [];
  const console: string[] = [];
  const refusals: Refusal[] = [];
  let ended: Ended | null = null;
  const end = (how: Ended): never => {
    ended = how;
    throw how;
  };
  const files = createFakeFiles(kernel);
  const show = (text: string, node?: string) =>
    isConsole(files, node) ? void console.push(text) : terminals.show(node, text);
  const { addLogonKey, addUserKey, removeKey } = kernel.keys;
  const network = new FakeNetwork(kernel, options.cards ?? []);
  const terminals = createFakeTerminals(kernel, options.typing ?? [], options.terminalSizes);
  const { start, ...processes } = createFakeProcesses(kernel, { ...options, ...terminals, show, end });
  const children = startFakeChildren(kernel, options, files, () => machine, start);
  const calls = {
    ...{ ...files, ...createFakeTrees(kernel, files), ...createFakeOpenTrees(kernel) },
    ...{ ...createFakeMounts(kernel), ...createFakeProtection(kernel), ...createFakeHibernation(kernel, options, end) },
    ...createFakeEvents(kernel),
    ...terminals.calls,
    ...{ ...createFakeBtrfs(kernel), ...createFakeArrays(kernel), ...createFakeBcache(kernel) },
    ...{ ...createFakeNetworks(kernel, network), ...createFakeDeviceMapper(kernel, files) },
    ...{ ...createFakeCiphers(kernel), ...createFakeRemoteDisks(kernel, options.servers ?? {}) },
    ...{ addLogonKey, addUserKey, removeKey },
    ...{ ...fakeKeyDerivation, ...fakeLibraryHashes, ...children.calls },
    ...createFakeKernelCalls(kernel, options.release ?? RELEASE),
    ...processes,
    ...{ ...createFakeClock(kernel), ...createFakeWatchdogs(kernel, options, end) },
  };
  for (const [target, type] of Object.entries(options.mounted ?? MOUNTED))
    calls.mount({ source: type, target, type, flags: [], options: "" });
  const machine: FakeMachine = {
    ...watchCalls(calls, { journal, refusals, kernel, ended: () => ended }),
    journal,
    console,
    kernelLog: () => kernel.log.map(({ text }) => text),
    refuse: (call, matches, code, { times = Number.POSITIVE_INFINITY, kernelLog = [] } = {}) =>
      void refusals.push({ call, matches, code, times, kernelLog }),
    ...handsOn(kernel),
    say: (text) => kernel.say(text),
    ...{ children, terminals, network },
    keysInKernel: () => kernel.keys.descriptions,
    // By these calls as a test may have changed them.
    mountApart: () => fakeMountApart(kernel, machine),
  };
  return machine;
}

function shareOpener(kernel: FakeKernel, { nfs = {}, shares = {}, efiVariables }: FakeMachineOptions) {
  if (efiVariables !== undefined) kernel.types.virtual.push("efivarfs");
  return (request: MountRequest) =>
    (request.type === "efivarfs" ? efiVariables : openFakeNfs(nfs, request)) ??
    openFakeShare(shares, request, kernel.nowMs);
}

/** What a test does to the disks, and asks of them. */
function handsOn(kernel: FakeKernel): Pick<FakeMachine, "plugIn" | "pullOut" | "change" | "overflowEvents" | "disk"> {
  return {
    plugIn: (disk) => kernel.arrive(disk, disk.arrivesAtMs ?? 0),
    pullOut: (name) => kernel.devices.removeDisk(name),
    change: (name, content) => kernel.devices.change(name, content),
    overflowEvents: () => kernel.devices.overflow(),
    disk: (name) => kernel.devices.byName(name),
  };
}

function directoriesOf(mounted: Readonly<Record<string, string>>): FakeTree {
  return Object.fromEntries(Object.keys(mounted).map((path) => [path, { directory: true as const }]));
}
