import { constants } from "node:fs";
import { isErrno, SyscallError, tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { Files } from "../../machine.ts";
import type { ArrayRequest, Arrays, PendingArray } from "../../storage/arrays.ts";
import type { AsyncCalls, PendingAnswer } from "../workers/async-calls.ts";
import { carryOutHere, encodeTexts, joinData } from "../workers/orders.ts";
import { type Answer, type Argument, CALLS, type Order, type WorkerCall } from "../workers/worker.ts";

/** Makes an array appear, by its name. */
const NEW_ARRAY = "/sys/module/md_mod/parameters/new_array";
/**
 * Written to its array_state, this starts an array that is read-only until something writes to it (array_state_store() of
 * drivers/md/md.c). The parameter start_ro does the same, but to all arrays: also to those of the real system, if a start never ends.
 */
const START = "read-auto";

/** The kernel waits for what is under way on the members. */
const STOP_MS = 10_000;

type ArrayFiles = Pick<Files, "stat" | "writeFile" | "makeNode">;

/** Implements `Arrays`. */
export function createArrays(files: ArrayFiles, { start, carryOut }: Pick<AsyncCalls, "start" | "carryOut">): Arrays {
  function stop(name: string): void {
    const order = stopOrder(`/dev/${name}`);
    const answer = carryOut(order, STOP_MS);
    if (answer === null) throw new SyscallError("ioctl", "ETIMEDOUT", name);
    throwIfRefused(answer === "alone" ? carryOutHere(order) : answer, order);
  }

  return {
    startArray(request) {
      const node = appear(files, request.name);
      const orders = [...memberOrders(node, request), startOrder(request.name)];
      const begin: Begin = (order, onAnswer) => start(order, onAnswer) ?? { answer: () => carryOutHere(order) };
      return pendArray(orders, begin, {
        stop: () => tolerateRefusal(() => stop(request.name)),
        // Its members have just been slow: nothing waits for them again.
        stopLater: () => void start(stopOrder(node)),
      });
    },
    stopArray: stop,
  };
}

/** An order, and what each of its calls is about; null: it may be refused. */
type ArrayOrder = Order & { readonly subjects: readonly (string | null)[] };

/** Begins an order; `onAnswer` is called when it is over, also if nothing asks for the answer. */
type Begin = (order: Order, onAnswer: () => void) => PendingAnswer;

/** What follows the start of an array. */
interface AfterStart {
  readonly stop: () => void;
  readonly stopLater: () => void;
}

/** Has the orders carried out, one after the other. The array is stopped if one is refused, or when it was left meanwhile. */
function pendArray(orders: readonly ArrayOrder[], begin: Begin, { stop, stopLater }: AfterStart): PendingArray {
  const left = [...orders];
  let pending: PendingAnswer | null = null;
  let isLeft = false;
  let isOver = false;
  const onAnswer = () => {
    if (isLeft) stopLater();
  };
  return {
    isStarted(timeoutMs) {
      for (let order = left[0]; order !== undefined; order = left[0]) {
        pending ??= begin(order, onAnswer);
        const answer = pending.answer(timeoutMs);
        if (answer === null) return false;
        pending = null;
        left.shift();
        try {
          throwIfRefused(answer, order);
        } catch (error) {
          left.length = 0;
          isOver = true;
          stop();
          throw error;
        }
      }
      isOver = true;
      return true;
    },
    leave() {
      isLeft = !isOver;
      if (isLeft && pending === null) onAnswer();
    },
  };
}

/** Throws SyscallError for the first call with a subject that was refused. */
function throwIfRefused({ results }: Answer, { calls, subjects }: ArrayOrder): void {
  for (const [index, subject] of subjects.entries()) {
    const result = results[index];
    const [call = "ioctl"] = calls[index] ?? [];
    if (subject !== null && typeof result === "string") throw new SyscallError(call, result, subject);
  }
}

/** Has the kernel make the array's device, without members yet; returns its node. */
function appear(files: ArrayFiles, name: string): string {
  const node = `/dev/${name}`;
  try {
    files.writeFile(NEW_ARRAY, name);
  } catch (error) {
    // Kernels before 4.14 do not know numbers here, but make the array when its node is opened.
    if (!isErrno(error, "EINVAL", "ENOENT", "EEXIST")) throw error;
  }
  if (files.stat(node) === null) files.makeNode(node, "block", abi.MD_MAJOR, Number(name.slice("md".length)), 0o660);
  return node;
}

/** An order has a call to open the array and one to close it, too. */
const REQUESTS = CALLS - 2;

/** The orders that say which superblocks to read, and add the members. The array stays between two orders, as it has a version then (mddev_put() of drivers/md/md.c). */
function memberOrders(node: string, { metadata, members }: ArrayRequest): readonly ArrayOrder[] {
  const [major = 0, minor = 0] = metadata.split(".").map(Number);
  const info = new DataView(new ArrayBuffer(abi.MDU_ARRAY_INFO.size));
  info.setInt32(abi.MDU_ARRAY_INFO.major_version, major, true);
  info.setInt32(abi.MDU_ARRAY_INFO.minor_version, minor, true);
  const requests = [
    { request: abi.SET_ARRAY_INFO, argument: new Uint8Array(info.buffer), subject: node },
    ...members.map((member) => ({ request: abi.ADD_NEW_DISK, argument: encodeMember(member), subject: member })),
  ];
  const count = Math.ceil(requests.length / REQUESTS);
  return Array.from({ length: count }, (_, index) => {
    const some = requests.slice(index * REQUESTS, (index + 1) * REQUESTS);
    const { data, places } = joinData(textOf(node), ...some.map(({ argument }) => argument));
    const calls = some.map(({ request }, at): WorkerCall => ["ioctl", ARRAY, request, { data: places[at + 1] ?? 0 }]);
    return onArray(calls, data, [node, ...some.map(({ subject }) => subject)]);
  });
}

function encodeMember(member: string): Uint8Array {
  const [major = 0, minor = 0] = member.split(":").map(Number);
  const disk = new DataView(new ArrayBuffer(abi.MDU_DISK_INFO.size));
  disk.setInt32(abi.MDU_DISK_INFO.major, major, true);
  disk.setInt32(abi.MDU_DISK_INFO.minor, minor, true);
  return new Uint8Array(disk.buffer);
}

function startOrder(name: string): ArrayOrder {
  const { data, places } = encodeTexts(`/sys/class/block/${name}/md/array_state`, START);
  return onArray([["write", ARRAY, { data: places[1] ?? 0 }, START.length]], data, [name, name], constants.O_WRONLY);
}

function stopOrder(node: string): ArrayOrder {
  return onArray([["ioctl", ARRAY, abi.STOP_ARRAY, 0]], textOf(node), [node, node]);
}

/** The descriptor of the array, which the first call opens. */
const ARRAY: Argument = { resultOf: 0 };
const textOf = (text: string) => Buffer.from(`${text}\0`);

/** The order to do something with the open array, whose node or attribute is the first text of `data`. */
function onArray(
  calls: readonly WorkerCall[],
  data: Uint8Array,
  subjects: ArrayOrder["subjects"],
  flags: number = constants.O_RDWR,
): ArrayOrder {
  const open: WorkerCall = ["openat", abi.AT_FDCWD, { data: 0 }, flags | abi.O_CLOEXEC, 0];
  return { calls: [open, ...calls, ["close", ARRAY]], data, answerBytes: 0, subjects };
}
