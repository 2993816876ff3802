import { constants } from "node:fs";
import { basename, dirname } from "node:path";
import * as abi from "../../abi/constants.ts";
import type { OpenOptions, ReadPlace } from "../../async.ts";
import { callKernel } from "../libc.ts";
import type { Answer, Argument, Order, WorkerCall } from "./worker.ts";

const encoder = new TextEncoder();

/** The data of an order, and where each part of it begins. */
export interface JoinedData {
  readonly data: Uint8Array;
  readonly places: readonly number[];
}

/** Joins parts to the data of an order. */
export function joinData(...parts: readonly Uint8Array[]): JoinedData {
  const places: number[] = [];
  let size = 0;
  for (const { length } of parts) {
    places.push(size);
    size += length;
  }
  const data = new Uint8Array(size);
  for (const [index, part] of parts.entries()) data.set(part, places[index]);
  return { data, places };
}

/** Encodes texts for the data of an order, NUL-terminated. */
export function encodeTexts(...texts: readonly string[]): JoinedData {
  return joinData(...texts.map((text) => encoder.encode(`${text}\0`)));
}

/** Makes the calls of an order in this process, for a program without workers. */
export function carryOutHere({ calls, data }: Order): Answer {
  const results: (number | string)[] = [];
  for (const [name, ...given] of calls) {
    const words = given.map((argument) => {
      if (typeof argument === "number") return argument;
      if ("data" in argument) return data.subarray(argument.data);
      const result = results[argument.resultOf];
      return typeof result === "number" ? result : -1;
    });
    results.push(callKernel(name, words));
  }
  return { results, data };
}

/** How many calls of the order to open a file come before the first read. */
export const CALLS_TO_OPEN = 3;
/** The same, and the close behind the last read. */
export const CALLS_AROUND = CALLS_TO_OPEN + 1;

/**
 * The order to open a file or device; its results are the descriptor, the size, one without a meaning, then the state of an optical drive,
 * or how many bytes of each first place were read: they are its data. If it is brief, the last one is that of the close.
 */
export function openOrder(path: string, { isOptical = false, first = [], isBrief = false }: OpenOptions): Order {
  const { data } = encodeTexts(path);
  if (!isBrief || isOptical) return { ...makeOpenOrder({ isOptical, first, isBrief }), data };
  const order = usualOrders.get(first) ?? { ...makeOpenOrder({ isOptical, first, isBrief }), shape: first };
  usualOrders.set(first, order);
  return { ...order, data };
}

/** The orders to open disks that are read alike: of hundreds, only the path differs. */
const usualOrders = new WeakMap<readonly ReadPlace[], Omit<Order, "data">>();

function makeOpenOrder({ isOptical, first, isBrief }: Required<Omit<OpenOptions, "mayLinger">>): Omit<Order, "data"> {
  // Without O_NONBLOCK the kernel closes an open tray (open_for_data() of drivers/cdrom/cdrom.c), before a person has inserted the disc.
  const flags = abi.O_CLOEXEC | (isOptical ? constants.O_NONBLOCK : 0);
  const reads = readOrder({ resultOf: 0 }, first);
  return {
    calls: [
      ["openat", abi.AT_FDCWD, { data: 0 }, flags, 0],
      // The end of a block device is its size: stat returns 0 for it.
      ["lseek", { resultOf: 0 }, 0, abi.SEEK_END],
      // As in files.ts: a probe reads at scattered places.
      ["fadvise64", { resultOf: 0 }, 0, 0, abi.POSIX_FADV_RANDOM],
      ...(isOptical ? [["ioctl", { resultOf: 0 }, abi.CDROM_DRIVE_STATUS, abi.CDSL_CURRENT] as const] : []),
      // Over the path, which is not needed any more.
      ...reads.calls,
      ...(isBrief ? [["close", { resultOf: 0 }] as const] : []),
    ],
    answerBytes: reads.answerBytes,
    gate: CALLS_TO_OPEN,
  };
}

/** The order to read all places; the data of the answer are their bytes, one place behind the other. */
export function readOrder(fd: Argument, places: readonly ReadPlace[]): Order & { readonly answerBytes: number } {
  let answerBytes = 0;
  const calls = places.map(({ offset, length }) => {
    const call: WorkerCall = ["pread64", fd, { data: answerBytes }, length, offset];
    answerBytes += length;
    return call;
  });
  return { calls, data: new Uint8Array(), answerBytes };
}

/** The order to open a device again, for these places only; the results are as of `openOrder`. */
export function reopenOrder(path: string, places: readonly ReadPlace[]): Order {
  // Without a descriptor nothing else is tried, but a place that cannot be read says nothing about the others.
  const order = makeOpenOrder({ isOptical: false, first: places, isBrief: true });
  return { ...order, data: encodeTexts(path).data, gate: 0 };
}

/** The order to close a descriptor. */
export function closeOrder(fd: number): Order {
  return { calls: [["close", fd]], data: new Uint8Array() };
}

/** The order to load a module; its results are those of open(2) and finit_module(2). */
export function loadOrder(path: string, parameters: string, flags: number): Order {
  const { data, places } = encodeTexts(path, parameters);
  return {
    calls: [
      ["openat", abi.AT_FDCWD, { data: 0 }, abi.O_CLOEXEC, 0],
      ["finit_module", { resultOf: 0 }, { data: places[1] ?? 0 }, flags],
      ["close", { resultOf: 0 }],
    ],
    data,
    answerBytes: 0,
  };
}

/** The order to write the name of a device into the file that has its bus look for a driver. */
export function probeOrder(directory: string): Order {
  const name = basename(directory);
  const { data, places } = encodeTexts(`${dirname(dirname(directory))}/drivers_probe`, name);
  return {
    calls: [
      ["openat", abi.AT_FDCWD, { data: 0 }, constants.O_WRONLY | abi.O_CLOEXEC, 0],
      ["write", { resultOf: 0 }, { data: places[1] ?? 0 }, encoder.encode(name).length],
      ["close", { resultOf: 0 }],
    ],
    data,
    answerBytes: 0,
  };
}

/** The order to open a file or device, and its copy, which exists; its results are the descriptors, and one without a meaning. */
export function startCopyOrder(source: string, target: string): Order {
  const { data, places } = encodeTexts(source, target);
  return {
    calls: [
      ["openat", abi.AT_FDCWD, { data: 0 }, abi.O_CLOEXEC, 0],
      ["openat", abi.AT_FDCWD, { data: places[1] ?? 0 }, constants.O_WRONLY | abi.O_CLOEXEC, 0],
      ["fadvise64", { resultOf: 0 }, 0, 0, abi.POSIX_FADV_SEQUENTIAL],
    ],
    data,
    answerBytes: 0,
  };
}

/** The order to copy up to `length` bytes; its result is how many it copied. */
export function copyOrder(from: number, to: number, length: number): Order {
  return { calls: [["sendfile", to, from, 0, length]], data: new Uint8Array() };
}

/** The order to close both files of a copy. */
export function endCopyOrder(from: number, to: number): Order {
  return { calls: [from, to].map((fd) => ["close", fd]), data: new Uint8Array() };
}
