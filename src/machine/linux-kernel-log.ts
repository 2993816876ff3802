import * as fs from "node:fs";
import { SEEK_END } from "./abi.ts";
import { systemCall } from "./libc.ts";
import type { Kernel } from "./machine.ts";

const KMSG = "/dev/kmsg";
/** A record takes 976 bytes at least since Linux 3.5, the whole write is refused beyond; the rest is room for the prefix. */
const RECORD_BYTES = 900;
const KEPT_RECORDS = 500;
const FACILITY_KERNEL = 0;
const NEWLINE = Buffer.from("\n");

interface KernelRecord {
  readonly sequence: number;
  readonly facility: number;
  readonly text: string;
}

/** /dev/kmsg, Documentation/ABI/testing/dev-kmsg. It is read from the first mark on, by one descriptor: only what is new costs anything. */
export function createKernelLog(): Pick<Kernel, "writeKernelLog" | "kernelLogMark" | "kernelLogSince"> {
  let fd: number | null = null;
  let records: KernelRecord[] = [];
  const readNewRecords = () => {
    fd ??= openAtEnd();
    if (fd !== null) records = [...records, ...readRecords(fd)].slice(-KEPT_RECORDS);
  };
  return {
    writeKernelLog,
    kernelLogMark() {
      readNewRecords();
      return records.at(-1)?.sequence ?? -1;
    },
    kernelLogSince(mark) {
      readNewRecords();
      return records
        .filter((record) => record.sequence > mark && record.facility === FACILITY_KERNEL)
        .map((record) => record.text);
    },
  };
}

/** Opened for each record: the kernel's rate limit (ten in five seconds) is counted per open file. */
function writeKernelLog(level: number, text: string): void {
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      const fd = fs.openSync(KMSG, fs.constants.O_WRONLY);
      try {
        // Without the newline the kernel waits for the rest of the line, and shows the record with the next one.
        fs.writeSync(
          fd,
          Buffer.concat([Buffer.from(`<${level & 7}>`), cutUtf8(`levain: ${line}`, RECORD_BYTES), NEWLINE]),
        );
      } finally {
        fs.closeSync(fd);
      }
    } catch {
      // A log that fails must not fail a boot.
      return;
    }
  }
}

/** The first `limit` bytes of `text` at most, without half a character at the end. */
function cutUtf8(text: string, limit: number): Uint8Array {
  const bytes = Buffer.from(text);
  let end = Math.min(limit, bytes.length);
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** null where there is no kernel log to read: then nothing was ever said. */
function openAtEnd(): number | null {
  try {
    const fd = fs.openSync(KMSG, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    systemCall("lseek", KMSG, fd, 0, SEEK_END);
    return fd;
  } catch {
    return null;
  }
}

function readRecords(fd: number): KernelRecord[] {
  const buffer = new Uint8Array(8192);
  const records: KernelRecord[] = [];
  for (;;) {
    try {
      const length = fs.readSync(fd, buffer);
      if (length === 0) return records;
      const record = parseKernelRecord(Buffer.from(buffer.subarray(0, length)).toString("utf8"));
      if (record !== null) records.push(record);
    } catch (error) {
      // EPIPE: records were overwritten before they were read; the next read goes on with the oldest there is.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") return records;
    }
  }
}

/** "priority,sequence,microseconds,flags[,…];text\n" and then " KEY=value" lines; null where it is something else. */
export function parseKernelRecord(record: string): KernelRecord | null {
  const match = /^(\d+),(\d+),[^;]*;([^\n]*)/.exec(record);
  if (match === null) return null;
  return { sequence: Number(match[2]), facility: Number(match[1]) >> 3, text: match[3] ?? "" };
}
