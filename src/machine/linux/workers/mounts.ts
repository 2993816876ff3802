import { orIfRefused } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { Mounts } from "../../mounts.ts";
import { systemCall } from "../libc.ts";
import { mountApart } from "./apart.ts";
import type { AsyncCalls } from "./async-calls.ts";
import { mount, throwIfRefused, unmountOrder } from "./mount-calls.ts";
import { startWorker } from "./worker.ts";

/** An unmount writes what is not on the disk yet, and a disk that does not answer would hold it up without end. */
const UNMOUNT_MS = 10_000;

/** For what is on the same disk, as a rule: the report of a failure waits for all of it. */
const STUCK_MS = 500;

/** Creates mount(2) and umount(2). Only the root is mounted by this process itself: nothing could go on without it. */
export function createMounts(calls: AsyncCalls): Pick<Mounts, "mount" | "unmount" | "mountApart"> {
  const { carryOut, hear } = calls;
  let isAnyStuck = false;
  return {
    mount(request) {
      hear(); // a device that was protected for a look is writable again when that is over
      mount(request);
    },
    unmount(target, lazy = false) {
      const flags = lazy ? abi.MNT_DETACH : 0;
      const answer = carryOut(unmountOrder(target, flags), isAnyStuck ? STUCK_MS : UNMOUNT_MS);
      isAnyStuck = answer === null;
      if (answer === "alone") systemCall("umount2", target, target, flags);
      else throwIfRefused("umount2", target, answer === null ? "ETIMEDOUT" : answer.results[0]);
    },
    mountApart: () => mountApart(orIfRefused(startWorker, null), calls),
  };
}
