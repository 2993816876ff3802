import { constants } from "node:fs";
import { SyscallError, tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import { AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS } from "../../abi/trees.ts";
import type { ApartMounts, MountLook, MountRequest } from "../../mounts.ts";
import { systemCall } from "../libc.ts";
import type { AsyncCalls } from "./async-calls.ts";
import { mount, mountOrder, throwIfRefused, unmountOrder } from "./mount-calls.ts";
import { encodeTexts, joinData } from "./orders.ts";
import { type Answer, CALLS, type Order, type StartedWorker, type WorkerCall } from "./worker.ts";

/** A filesystem that was only read is unmounted at once. */
const CLOSE_MS = 1000;

/**
 * The mounts of a worker that has its own mount namespace: they end with it, also if the disk answers long after anyone has waited.
 * This process sees them by /proc/PID/root. Without workers it mounts itself.
 */
export function mountApart(
  worker: StartedWorker | null,
  { watch, abandon }: Pick<AsyncCalls, "watch" | "abandon">,
): ApartMounts {
  if (worker === null) return mountHere();
  const outside = `/proc/${worker.pid}/root`;
  const ask = createErrand(worker, watch);
  const touched = new Set<string>();
  let isFirst = true;
  let mounted: string | null = null;

  return {
    mount(request, timeoutMs) {
      if (mounted !== null) return `${outside}${mounted}`;
      const makeOrder = () => {
        const order = mountApartOrder(request, isFirst);
        isFirst = false;
        return order;
      };
      const answer = ask.orLater("mount", makeOrder, timeoutMs, request.target);
      throwIfRefused("mount", request.target, answer.results[ask.callCount() - 1]);
      mounted = request.target;
      return `${outside}${mounted}`;
    },
    touch(path, look, timeoutMs) {
      const key = `${look} ${path}`;
      if (touched.has(key)) return;
      ask.orLater(key, () => touchOrder(path.slice(outside.length), look), timeoutMs, path);
      touched.add(key);
    },
    close(onEnd = () => undefined) {
      watch(worker, false);
      if (ask.isUnderWay()) return abandon(worker, onEnd);
      // By an order, because after the end of the process the kernel unmounts later: the device would be busy for a while.
      if (mounted !== null) {
        worker.order(unmountOrder(mounted, 0));
        tolerateRefusal(() => worker.answer(CLOSE_MS));
      }
      worker.dismiss();
      onEnd();
    },
  };
}

/** One order after the other. */
function createErrand(worker: StartedWorker, watch: AsyncCalls["watch"]) {
  let underWay: string | null = null;
  let callCount = 0;

  function orLater(key: string, makeOrder: () => Order, timeoutMs: number, subject: string): Answer {
    if (underWay === null) {
      const order = makeOrder();
      worker.order(order);
      callCount = order.calls.length;
      underWay = key;
    }
    const answer = worker.answer(timeoutMs);
    watch(worker, answer === null);
    if (answer === null) throw new SyscallError(key === "mount" ? key : "read", "ETIMEDOUT", subject);
    const isOther = underWay !== key;
    underWay = null;
    return isOther ? orLater(key, makeOrder, timeoutMs, subject) : answer;
  }

  return {
    /** Returns the answer to the order `key`, after that of another one that is under way. Throws SyscallError ETIMEDOUT if it has not come. */
    orLater,
    isUnderWay: () => underWay !== null,
    callCount: () => callCount,
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
    touch: () => undefined,
    close(onEnd) {
      if (mounted !== null) systemCall("umount2", mounted, mounted, 0);
      onEnd?.();
    },
  };
}

/** The order to mount; `isFirst`: in a mount namespace of its own, from which nothing spreads. */
function mountApartOrder(request: MountRequest, isFirst: boolean): Order {
  const order = mountOrder(request);
  if (!isFirst) return order;
  const root = { data: order.data.length };
  const { data } = joinData(order.data, new TextEncoder().encode("/\0"));
  const flags = abi.MOUNT_FLAGS.rec | abi.MOUNT_FLAGS.private;
  return { ...order, calls: [["unshare", abi.CLONE_NEWNS], ["mount", root, root, 0, flags, 0], ...order.calls], data };
}

/** Where a worker has room for results that do not come back, behind a path of at most PATH_MAX bytes, and how much. */
const ROOM = { data: 4096 } as const;
const ROOM_BYTES = 60 << 10;
/** The calls between open and close. */
const READS = CALLS - 2;

function touchOrder(path: string, look: MountLook): Order {
  const { data } = encodeTexts(path);
  const at = { data: 0 };
  const opened = { resultOf: 0 };
  const flags = abi.O_CLOEXEC | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const read = (index: number): WorkerCall =>
    look === "names"
      ? ["getdents64", opened, ROOM, ROOM_BYTES]
      : ["pread64", opened, ROOM, ROOM_BYTES, index * ROOM_BYTES];
  const reads = Array.from({ length: READS }, (_, index) => read(index));
  const calls: Readonly<Record<MountLook, readonly WorkerCall[]>> = {
    status: [["statx", abi.AT_FDCWD, at, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, ROOM]],
    target: [["readlinkat", abi.AT_FDCWD, at, ROOM, ROOM_BYTES]],
    names: [["openat", abi.AT_FDCWD, at, flags, 0], ...reads, ["close", opened]],
    content: [["openat", abi.AT_FDCWD, at, flags, 0], ...reads, ["close", opened]],
  };
  return { calls: calls[look], data, answerBytes: 0 };
}
