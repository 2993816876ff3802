import { orIfRefused, SyscallError, tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi.ts";
import type { ApartMounts, MountRequest, Mounts } from "../../machine.ts";
import { refusable } from "../descriptors.ts";
import { systemCall } from "../libc.ts";
import type { AsyncCalls } from "./async-calls.ts";
import { encodeTexts } from "./orders.ts";
import { type Order, type StartedWorker, startWorker } from "./worker.ts";

/** An unmount writes what is not on the disk yet, and a disk that does not answer would hold it up without end. */
const UNMOUNT_MS = 10_000;

/** For what is on the same disk, as a rule: the report of a failure waits for all of it. */
const STUCK_MS = 500;
/** A filesystem that was only read is unmounted at once. */
const CLOSE_MS = 1000;

/** Creates mount(2) and umount(2). Only the root is mounted by this process itself: nothing could go on without it. */
export function createMounts({ carryOut, watch }: AsyncCalls): Pick<Mounts, "mount" | "unmount" | "mountApart"> {
  let isAnyStuck = false;
  return {
    mount,
    unmount(target, lazy = false) {
      const flags = lazy ? abi.MNT_DETACH : 0;
      const answer = carryOut(unmountOrder(target, flags), isAnyStuck ? STUCK_MS : UNMOUNT_MS);
      isAnyStuck = answer === null;
      if (answer === "alone") systemCall("umount2", target, target, flags);
      else throwIfRefused("umount2", target, answer === null ? "ETIMEDOUT" : answer.results[0]);
    },
    mountApart: () => mountApart(orIfRefused(startWorker, null), watch),
  };
}

function mount(request: MountRequest): void {
  const { source, target, type, options, directory } = request;
  const before = directory === undefined ? null : process.cwd();
  if (directory !== undefined) refusable(directory, () => process.chdir(directory));
  try {
    // Without options a null pointer, not an empty string: some filesystems refuse any data.
    systemCall("mount", target, source, target, type, bitsOf(request), options === "" ? 0 : options);
  } finally {
    if (before !== null) process.chdir(before);
  }
}

const bitsOf = ({ flags }: MountRequest) => flags.reduce((sum, flag) => sum | abi.MOUNT_FLAGS[flag], 0);

/**
 * The mounts of a worker that has its own mount namespace: they end with it, also if the disk answers long after anyone has waited.
 * This process sees them by /proc/PID/root. Without workers it mounts itself.
 */
function mountApart(worker: StartedWorker | null, watch: AsyncCalls["watch"]): ApartMounts {
  if (worker === null) return mountHere();
  let isFirst = true;
  let isMounted = false;
  let target = "";
  /** How many calls the order has whose answer is awaited; 0: none is. */
  let awaited = 0;

  /** Waits for the answer to the last call of an order. */
  function finish(call: string, timeoutMs: number): void {
    const answer = worker?.answer(timeoutMs) ?? null;
    const result = answer === null ? "ETIMEDOUT" : answer.results[awaited - 1];
    if (answer !== null) awaited = 0;
    throwIfRefused(call, target, result);
  }

  return {
    mount(request, timeoutMs) {
      if (awaited === 0) {
        const order = mountOrder(request, isFirst);
        target = request.target;
        awaited = order.calls.length;
        isFirst = false;
        worker.order(order);
      }
      try {
        finish("mount", timeoutMs);
      } finally {
        watch(worker, awaited > 0);
      }
      isMounted = true;
      return `/proc/${worker.pid}/root${target}`;
    },
    close() {
      watch(worker, false);
      // By an order, because after the end of the process the kernel unmounts later: the device would be busy for a while.
      if (isMounted) {
        worker.order(unmountOrder(target, 0));
        tolerateRefusal(() => worker.answer(CLOSE_MS));
      }
      worker.dismiss();
    },
  };
}

function mountHere(): ApartMounts {
  let mounted: string | null = null;
  return {
    mount(request) {
      mount(request);
      mounted = request.target;
      return mounted;
    },
    close() {
      if (mounted !== null) systemCall("umount2", mounted, mounted, 0);
    },
  };
}

function throwIfRefused(call: string, subject: string, result: number | string | undefined): void {
  if (typeof result === "string") throw new SyscallError(call, result, subject);
}

function unmountOrder(target: string, flags: number): Order {
  return { calls: [["umount2", { data: 0 }, flags]], data: encodeTexts(target).data, answerBytes: 0 };
}

/** The order to mount; `isFirst`: in a mount namespace of its own, from which nothing spreads. */
function mountOrder(request: MountRequest, isFirst: boolean): Order {
  const { source, target, type, options } = request;
  const { data, places } = encodeTexts(source, target, type, options, "/");
  const at = (index: number) => ({ data: places[index] ?? 0 });
  const apart = [
    ["unshare", abi.CLONE_NEWNS],
    ["mount", at(4), at(4), 0, abi.MOUNT_FLAGS.rec | abi.MOUNT_FLAGS.private, 0],
  ] as const;
  const given = options === "" ? 0 : at(3);
  return {
    calls: [...(isFirst ? apart : []), ["mount", at(0), at(1), at(2), bitsOf(request), given]],
    data,
    answerBytes: 0,
  };
}
