import { orIfRefused } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { MountRequest, Mounts } from "../../mounts.ts";
import { systemCall } from "../libc.ts";
import { mountApart } from "./apart.ts";
import type { AsyncCalls, PendingAnswer } from "./async-calls.ts";
import { mount, mountOrder, throwIfRefused, unmountOrder } from "./mount-calls.ts";
import { type Answer, startWorker } from "./worker.ts";

/** An unmount writes what is not on the disk yet, and a disk that does not answer would hold it up without end. */
const UNMOUNT_MS = 10_000;

/** For what is on the same disk, as a rule: the report of a failure waits for all of it. */
const STUCK_MS = 500;

/** Creates mount(2) and umount(2). What may take long is left to a worker, so that this process can say what it waits for. */
export function createMounts(calls: AsyncCalls): Omit<Mounts, "moveMount"> {
  const { carryOut, hear } = calls;
  let isAnyStuck = false;
  return {
    mount(request) {
      hear(); // a device that was protected for a look is writable again when that is over
      const pending = request.onWait === undefined ? null : calls.start(mountOrder(request));
      if (pending === null) return mount(request);
      throwIfRefused("mount", request.target, waitFor(pending, request.onWait).results[0]);
    },
    unmount(target, lazy = false) {
      const flags = lazy ? abi.MNT_DETACH : 0;
      const answer = carryOut(unmountOrder(target, flags), isAnyStuck ? STUCK_MS : UNMOUNT_MS);
      isAnyStuck = answer === null;
      if (answer === "alone") systemCall("umount2", target, target, flags);
      else throwIfRefused("umount2", target, answer === null ? "ETIMEDOUT" : answer.results[0]);
    },
    isolateMounts() {
      systemCall("unshare", "mounts", abi.CLONE_NEWNS);
      systemCall("mount", "/", "/", "/", 0, abi.MOUNT_FLAGS.rec | abi.MOUNT_FLAGS.private, 0);
    },
    mountApart: () => mountApart(orIfRefused(startWorker, null), calls),
  };
}

function waitFor(pending: PendingAnswer, onWait: MountRequest["onWait"]): Answer {
  const startMs = performance.now();
  for (;;) {
    const answer = pending.answer(onWait?.(performance.now() - startMs) ?? Number.POSITIVE_INFINITY);
    if (answer !== null) return answer;
  }
}
