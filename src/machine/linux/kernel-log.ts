import * as fs from "node:fs";
import { SEEK_END } from "../abi/constants.ts";
import type { Kernel } from "../kernel.ts";
import { closing } from "./descriptors.ts";
import { callKernel, systemCall } from "./libc.ts";

const KMSG = "/dev/kmsg";
/** Since Linux 3.5 a record has room for at least 976 bytes, and a longer write is refused; the rest is for the prefix. */
const RECORD_BYTES = 900;
/** CONSOLE_EXT_LOG_MAX of kernel/printk/printk.c: the most that one read returns. */
const READ_BYTES = 8192;
const KEPT_RECORDS = 500;
const FACILITY_KERNEL = 0;
const NEWLINE = 0x0a;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const readBuffer = new Uint8Array(READ_BYTES);

type KernelRecord = NonNullable<ReturnType<typeof parseKernelRecord>>;

/** Implements the kernel log by /dev/kmsg (Documentation/ABI/testing/dev-kmsg). One descriptor reads from the first mark on, so that each record is read once. */
export function createKernelLog(): Pick<
  Kernel,
  "writeKernelLog" | "kernelLogMark" | "kernelLogSince" | "readKernelLog"
> {
  let fd: number | null = null;
  let records: KernelRecord[] = [];
  const readNewRecords = () => {
    fd ??= openAtEnd();
    const read = fd === null ? [] : readRecords(fd);
    if (read.length > 0) records = [...records, ...read].slice(-KEPT_RECORDS);
  };
  return {
    writeKernelLog: createRecordWriter(),
    kernelLogMark() {
      readNewRecords();
      return records.at(-1)?.sequence ?? -1;
    },
    kernelLogSince(mark) {
      readNewRecords();
      return records.filter((record) => record.sequence > mark && isOfKernel(record)).map((record) => record.text);
    },
    readKernelLog: () => readAllRecords().filter(isOfKernel),
  };
}

const isOfKernel = ({ facility }: KernelRecord): boolean => facility === FACILITY_KERNEL;

/** Opens the log for each record: the kernel's rate limit (ten in five seconds) is counted per open file. */
function createRecordWriter(): Kernel["writeKernelLog"] {
  let last: number | null = null;
  function open(): number {
    try {
      const fd = fs.openSync(KMSG, fs.constants.O_WRONLY);
      if (last !== null) fs.closeSync(last);
      last = fd;
    } catch (error) {
      if (last === null) throw error;
    }
    return last; // after /dev has moved into the new root, the last descriptor still works
  }
  return (level, text) => {
    for (const line of text.split("\n")) {
      if (line === "") continue;
      try {
        fs.writeSync(open(), encodeRecord(`<${level & 7}>levain: ${line}`));
      } catch {
        // A log that fails must not fail a boot.
        return;
      }
    }
  };
}

/** Encodes a line with its newline, without which the kernel delays the record until the next one. Truncates between two characters. */
function encodeRecord(text: string): Uint8Array {
  const bytes = encoder.encode(`${text}\n`);
  if (bytes.length <= RECORD_BYTES) return bytes;
  let end = RECORD_BYTES - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  bytes[end] = NEWLINE;
  return bytes.subarray(0, end + 1);
}

/** Opens the log at its oldest record; null if the kernel has none. */
function openLog(): number | null {
  try {
    return fs.openSync(KMSG, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

function openAtEnd(): number | null {
  const fd = openLog();
  if (fd !== null) systemCall("lseek", KMSG, fd, 0, SEEK_END);
  return fd;
}

function readAllRecords(): readonly KernelRecord[] {
  const fd = openLog();
  return fd === null ? [] : closing(fd, readRecords);
}

function readRecords(fd: number): KernelRecord[] {
  const records: KernelRecord[] = [];
  for (;;) {
    const length = callKernel("read", [fd, readBuffer, readBuffer.length]);
    // EPIPE: records were overwritten before they were read; the next read continues with the oldest.
    if (length === "EPIPE") continue;
    if (typeof length === "string" || length === 0) return records;
    const record = parseKernelRecord(decoder.decode(readBuffer.subarray(0, length)));
    if (record !== null) records.push(record);
  }
}

/** Parses "priority,sequence,microseconds,flags[,…];text\n", which " KEY=value" lines may follow; null for anything else. */
export function parseKernelRecord(record: string) {
  const match = /^(\d+),(\d+),(\d+),?[^;]*;([^\n]*)/.exec(record);
  if (match === null) return null;
  const [priority = 0, sequence = 0, microseconds = 0] = match.slice(1, 4).map(Number);
  return { sequence, facility: priority >> 3, atMs: microseconds / 1000, text: match[4] ?? "" };
}
