import * as fs from "node:fs";
import { machine, release } from "node:os";
import { SyscallError } from "../../problems/errors.ts";
import {
  AT_FDCWD,
  CLOCK_MONOTONIC,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
  LINUX_REBOOT_MAGIC1,
  LINUX_REBOOT_MAGIC2,
  MNT_DETACH,
  MODULE_INIT_COMPRESSED_FILE,
  MOVE_MOUNT_T_EMPTY_PATH,
  MS_BIND,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_MOVE,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  O_CLOEXEC,
  O_PATH,
  RESOLVE_NO_SYMLINKS,
} from "../abi.ts";
import type { Kernel } from "../kernel.ts";
import type { Clock, Machine, MountFlag, Mounts } from "../machine.ts";
import { kernelCiphers } from "./crypto/ciphers.ts";
import { libraryHashes } from "./crypto/hashes.ts";
import { keyDerivation } from "./crypto/key-derivation.ts";
import { kernelKeys } from "./crypto/keyring.ts";
import { createLinuxFiles, refusable } from "./files.ts";
import { createKernelLog } from "./kernel-log.ts";
import { callKernel, systemCall } from "./libc.ts";
import { children } from "./processes/child.ts";
import { createLinuxProcesses, drainConsole } from "./processes/processes.ts";
import { forgetBtrfs, registerBtrfs } from "./storage/btrfs.ts";
import { createDeviceMapper } from "./storage/device-mapper.ts";
import { createLoopDevices } from "./storage/loop.ts";
import { loadKeymap } from "./terminals/keymap.ts";
import { createTerminals } from "./terminals/terminals.ts";
import { createUeventSource } from "./uevents.ts";
import { linuxWriters } from "./writers.ts";

const MOUNT_FLAGS: Readonly<Record<MountFlag, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  remount: MS_REMOUNT,
  noatime: MS_NOATIME,
  bind: MS_BIND,
  rec: MS_REC,
  private: MS_PRIVATE,
  nodiratime: MS_NODIRATIME,
  relatime: MS_RELATIME,
  strictatime: MS_STRICTATIME,
  lazytime: MS_LAZYTIME,
  sync: MS_SYNCHRONOUS,
  dirsync: MS_DIRSYNC,
};

const POWER_COMMANDS = {
  reboot: LINUX_REBOOT_CMD_RESTART,
  poweroff: LINUX_REBOOT_CMD_POWER_OFF,
  halt: LINUX_REBOOT_CMD_HALT,
} as const;

/** The running Linux. Made once, at the start: it takes stage0's pipe out of the environment. */
export function createLinuxMachine(): Machine {
  const files = createLinuxFiles();
  const clock = createClock();
  const uevents = createUeventSource(clock.nowMs);
  return {
    ...files,
    ...linuxWriters,
    ...mounts,
    ...uevents.calls,
    ...createTerminals(clock.nowMs, uevents.socket),
    loadKeymap,
    ...createLoopDevices(files),
    registerBtrfs,
    forgetBtrfs,
    ...createDeviceMapper(files),
    ...kernelKeys,
    ...kernelCiphers,
    ...keyDerivation,
    ...libraryHashes,
    ...kernel,
    ...createKernelLog(),
    ...createLinuxProcesses(),
    ...children,
    ...clock,
  };
}

const mounts: Mounts = {
  mount({ source, target, type, flags, options }) {
    const bits = flags.reduce((sum, flag) => sum | MOUNT_FLAGS[flag], 0);
    // No options is a null pointer, not an empty string: some filesystems refuse data that they do not know.
    systemCall("mount", target, source, target, type, bits, options === "" ? 0 : options);
  },
  moveMount,
  unmount: (target, lazy = false) => void systemCall("umount2", target, target, lazy ? MNT_DETACH : 0),
};

/** By a descriptor of the target, whose way has no symbolic link in it. Before Linux 5.6, which has no openat2(2), by its path. */
function moveMount(from: string, to: string): void {
  const how = BigUint64Array.of(BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(RESOLVE_NO_SYMLINKS));
  const fd = callKernel("openat2", [AT_FDCWD, to, how, how.byteLength]);
  if (fd === "ENOSYS") return void systemCall("mount", to, from, to, 0, MS_MOVE, 0);
  if (typeof fd === "string") throw new SyscallError("openat2", fd, to);
  try {
    systemCall("move_mount", to, AT_FDCWD, from, fd, "", MOVE_MOUNT_T_EMPTY_PATH);
  } finally {
    fs.closeSync(fd);
  }
}

const kernel: Pick<Kernel, "release" | "loadModule" | "power"> = {
  release: () => ({ release: release(), machine: machine() }),
  loadModule(path, parameters, { compressed = false } = {}) {
    const fd = refusable(path, () => fs.openSync(path, "r"));
    try {
      systemCall("finit_module", path, fd, parameters, compressed ? MODULE_INIT_COMPRESSED_FILE : 0);
    } finally {
      fs.closeSync(fd);
    }
  },
  power(action) {
    drainConsole();
    systemCall("sync", action);
    systemCall("reboot", action, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, POWER_COMMANDS[action], 0);
  },
};

/** The runtime's own clock is the cheaper one to read, but counts from its start: it is set by the kernel's once. */
function createClock(): Clock {
  const time = new BigInt64Array(2);
  systemCall("clock_gettime", "CLOCK_MONOTONIC", CLOCK_MONOTONIC, time);
  const startMs = Number(time[0]) * 1000 + Number(time[1]) / 1e6 - performance.now();
  return { nowMs: () => startMs + performance.now(), sleepMs: (ms) => Bun.sleepSync(Math.max(0, ms)) };
}
