import { constants } from "node:fs";
import { isErrno, orIfRefused, SyscallError, tolerateRefusal } from "../../../problems/errors.ts";
import * as abi from "../../abi/constants.ts";
import type { Files } from "../../machine.ts";
import type { ArrayRequest, Arrays, PendingArray } from "../../storage/arrays.ts";
import type { AsyncCalls, PendingAnswer } from "../workers/async-calls.ts";
import { carryOutHere, joinData } from "../workers/orders.ts";
import { type Answer, type Argument, CALLS, type Order, type WorkerCall } from "../workers/worker.ts";

const PARAMETERS = "/sys/module/md_mod/parameters";
/** Makes an array appear, by its name. */
const NEW_ARRAY = `${PARAMETERS}/new_array`;
/** 1: a new array is read-only until something writes to it. */
const START_READ_ONLY = `${PARAMETERS}/start_ro`;

/** The kernel waits for what is under way on the members. */
const STOP_MS = 10_000;

type ArrayFiles = Pick<Files, "stat" | "readFile" | "writeFile" | "makeNode">;

/** Implements `Arrays`. */
export function createArrays(files: ArrayFiles, { start, carryOut }: Pick<AsyncCalls, "start" | "carryOut">): Arrays {
  const readOnlyStart = createReadOnlyStart(files);

  function stop(name: string): void {
    const order = stopOrder(`/dev/${name}`);
    const answer = carryOut(order, STOP_MS);
    if (answer === null) throw new SyscallError("ioctl", "ETIMEDOUT", name);
    throwIfRefused((answer === "alone" ? carryOutHere(order) : answer).results, order.subjects);
  }

  return {
    startArray(request) {
      const node = appear(files, request.name);
      const orders = [...memberOrders(node, request), runOrder(node)];
      const begin: Begin = (order, onAnswer) => start(order, onAnswer) ?? { answer: () => carryOutHere(order) };
      readOnlyStart.begin();
      return pendArray(orders, begin, {
        end: readOnlyStart.end,
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
  /** Called when the kernel has started the array or refused it, or no order for it is left. */
  readonly end: () => void;
  readonly stop: () => void;
  readonly stopLater: () => void;
}

/** Has the orders carried out, one after the other. The array is stopped if one is refused, or when it was left meanwhile. */
function pendArray(orders: readonly ArrayOrder[], begin: Begin, { end, stop, stopLater }: AfterStart): PendingArray {
  const left = [...orders];
  let pending: PendingAnswer | null = null;
  let isLeft = false;
  let isOver = false;
  const finish = () => {
    if (!isOver) end();
    isOver = true;
  };
  const onAnswer = () => {
    if (!isLeft) return;
    finish();
    stopLater();
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
          throwIfRefused(answer.results, order.subjects);
        } catch (error) {
          left.length = 0;
          finish();
          stop();
          throw error;
        }
      }
      finish();
      return true;
    },
    leave() {
      isLeft = !isOver;
      if (isLeft && pending === null) onAnswer();
    },
  };
}

/**
 * Has the kernel start arrays auto-read-only. It is one parameter for all: set back while another start is under way, it would make
 * that array writable. The real system may want its own arrays writable at once, so it is set back when none is.
 */
function createReadOnlyStart(files: ArrayFiles) {
  let underWay = 0;
  let before: Uint8Array | null = null;
  const write = (value: string | Uint8Array) => tolerateRefusal(() => files.writeFile(START_READ_ONLY, value));
  return {
    begin(): void {
      if (underWay++ > 0) return;
      before = orIfRefused(() => files.readFile(START_READ_ONLY), null);
      if (before !== null) write("1");
    },
    end(): void {
      underWay -= 1;
      if (underWay === 0 && before !== null) write(before);
    },
  };
}

/** Throws SyscallError for the first call with a subject that was refused. */
function throwIfRefused(results: Answer["results"], subjects: ArrayOrder["subjects"]): void {
  for (const [index, subject] of subjects.entries()) {
    const result = results[index];
    if (subject !== null && typeof result === "string") throw new SyscallError("ioctl", result, subject);
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

function runOrder(node: string): ArrayOrder {
  return onArray([["ioctl", ARRAY, abi.RUN_ARRAY, 0]], textOf(node), [node, node]);
}

function stopOrder(node: string): ArrayOrder {
  return onArray([["ioctl", ARRAY, abi.STOP_ARRAY, 0]], textOf(node), [node, node]);
}

/** The descriptor of the array, which the first call opens. */
const ARRAY: Argument = { resultOf: 0 };
const textOf = (text: string) => Buffer.from(`${text}\0`);

/** The order to do something with the open array, whose node is the first text of `data`. */
function onArray(calls: readonly WorkerCall[], data: Uint8Array, subjects: ArrayOrder["subjects"]): ArrayOrder {
  const open: WorkerCall = ["openat", abi.AT_FDCWD, { data: 0 }, constants.O_RDWR | abi.O_CLOEXEC, 0];
  return { calls: [open, ...calls, ["close", ARRAY]], data, answerBytes: 0, subjects };
}
