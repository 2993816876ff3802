import { SyscallError } from "../../problems/errors.ts";
import * as abi from "../abi/constants.ts";
import type { Clock, Machine } from "../machine.ts";
import { kernelCiphers, kernelKeys } from "./crypto/ciphers.ts";
import { libraryHashes } from "./crypto/hashes.ts";
import { keyDerivation } from "./crypto/key-derivation.ts";
import { readPacked } from "./crypto/library.ts";
import { closing } from "./descriptors.ts";
import { createLinuxFiles } from "./files.ts";
import { createKernelLog } from "./kernel-log.ts";
import { callKernel, systemCall } from "./libc.ts";
import { connections } from "./network/connections.ts";
import { http } from "./network/http.ts";
import { createNetworks } from "./network/networks.ts";
import { createRemoteDisks } from "./network/remote.ts";
import { children } from "./processes/child.ts";
import { createLinuxProcesses, drainConsole } from "./processes/processes.ts";
import { createArrays } from "./storage/arrays.ts";
import { forgetBtrfs, registerBtrfs } from "./storage/btrfs.ts";
import { createDeviceMapper } from "./storage/device-mapper.ts";
import { writeDevice } from "./storage/device-writes.ts";
import { createLoopDevices } from "./storage/loop.ts";
import { createProtection } from "./storage/protection.ts";
import { loadKeymap } from "./terminals/keymap.ts";
import { createTerminals } from "./terminals/terminals.ts";
import { trees } from "./trees/tree.ts";
import { createUeventSource } from "./uevents.ts";
import { readUname } from "./uname.ts";
import { openWatchdog } from "./watchdog.ts";
import { type AsyncCalls, createAsyncCalls } from "./workers/async-calls.ts";
import { copyFile } from "./workers/copies.ts";
import { startModule } from "./workers/modules.ts";
import { createMounts } from "./workers/mounts.ts";
import { probeOrder } from "./workers/orders.ts";
import { createBlockingReader } from "./workers/reader.ts";
import type { Order } from "./workers/worker.ts";

const POWER_COMMANDS = {
  reboot: abi.LINUX_REBOOT_CMD_RESTART,
  poweroff: abi.LINUX_REBOOT_CMD_POWER_OFF,
  halt: abi.LINUX_REBOOT_CMD_HALT,
} as const;

/** Creates the interface to the running Linux. Called once, at the start: it removes stage0's pipe from the environment. */
export function createLinuxMachine(): Machine {
  const files = createLinuxFiles();
  const clock = createClock();
  const asyncCalls = createAsyncCalls();
  const uevents = createUeventSource(clock.nowMs, asyncCalls);
  const openBlockingReader = (path: string) => createBlockingReader(() => files.openReader(path));
  return {
    ...files,
    openAsyncReader: (path, options = {}) => asyncCalls.openReader(path, options) ?? openBlockingReader(path),
    copyFile: (source, target, watch = {}) => copyFile(source, target, watch),
    ...createMounts(asyncCalls),
    moveMount,
    ...uevents.calls,
    ...createTerminals(clock.nowMs, { uevents: uevents.socket, answers: asyncCalls }),
    loadKeymap,
    ...createLoopDevices(files),
    ...createProtection(),
    registerBtrfs,
    forgetBtrfs,
    writeDevice,
    ...createArrays(files, asyncCalls),
    ...createNetworks(uevents.wait),
    ...createRemoteDisks(),
    ...createDeviceMapper(files, asyncCalls),
    ...kernelKeys,
    ...kernelCiphers,
    ...keyDerivation,
    ...libraryHashes,
    ...trees,
    release: readUname,
    exitProgram: () => readPacked("exit-program"),
    power: (action) => power(asyncCalls, action),
    startModule: (...given) => startModule(asyncCalls, ...given),
    probeDriver: (directory) => void asyncCalls.carryOut(probeOrder(directory), 0),
    ...createKernelLog(),
    ...createLinuxProcesses(),
    ...children,
    ...http,
    ...connections,
    ...clock,
    openWatchdog,
  };
}

/** Moves a mount to a descriptor of the target, opened without following symbolic links; before Linux 5.6 (no openat2(2)), to its path. */
function moveMount(from: string, to: string): void {
  const how = BigUint64Array.of(BigInt(abi.O_PATH | abi.O_CLOEXEC), 0n, BigInt(abi.RESOLVE_NO_SYMLINKS));
  const fd = callKernel("openat2", [abi.AT_FDCWD, to, how, how.byteLength]);
  if (fd === "ENOSYS") return void systemCall("mount", to, from, to, 0, abi.MS_MOVE, 0);
  if (typeof fd === "string") throw new SyscallError("openat2", fd, to);
  closing(fd, () => systemCall("move_mount", to, abi.AT_FDCWD, from, fd, "", abi.MOVE_MOUNT_T_EMPTY_PATH));
}

/** sync(2) waits for the lock of a disk that is being opened (sync_bdevs() of block/bdev.c), so as long as the disk does not answer. */
const SYNC_PATIENCE_MS = 10_000;

function power({ carryOut }: AsyncCalls, action: keyof typeof POWER_COMMANDS): void {
  drainConsole();
  const sync: Order = { calls: [["sync"]], data: new Uint8Array() };
  if (carryOut(sync, SYNC_PATIENCE_MS) === "alone") systemCall("sync", action);
  systemCall("reboot", action, abi.LINUX_REBOOT_MAGIC1, abi.LINUX_REBOOT_MAGIC2, POWER_COMMANDS[action], 0);
}

/** The runtime's clock is cheaper to read, but counts from its start: it is set once by the kernel's clock. */
function createClock(): Clock {
  const time = new BigInt64Array(2);
  systemCall("clock_gettime", "CLOCK_MONOTONIC", abi.CLOCK_MONOTONIC, time);
  const startMs = Number(time[0]) * 1000 + Number(time[1]) / 1e6 - performance.now();
  return {
    nowMs: () => startMs + performance.now(),
    timeOfDayMs: () => Date.now(),
    setTimeOfDay(ms) {
      const now = BigInt64Array.of(BigInt(Math.floor(ms / 1000)), BigInt(Math.floor(ms % 1000)) * 1_000_000n);
      systemCall("clock_settime", "CLOCK_REALTIME", abi.CLOCK_REALTIME, now);
    },
    sleepMs: (ms) => Bun.sleepSync(Math.max(0, ms)),
  };
}
