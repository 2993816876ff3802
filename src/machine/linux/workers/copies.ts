import * as fs from "node:fs";
import { orIfRefused, SyscallError, tolerateRefusal, unlessRefused } from "../../../problems/errors.ts";
import { POSIX_FADV_SEQUENTIAL } from "../../abi/constants.ts";
import type { CopyWatch } from "../../machine.ts";
import { closing, openFile, refusable } from "../descriptors.ts";
import { callKernel, systemCall } from "../libc.ts";
import { copyOrder, endCopyOrder, startCopyOrder } from "./orders.ts";
import { type StartedWorker, startWorker } from "./worker.ts";

/** The most that is copied before it is checked. */
const PART_BYTES = 4 << 20;
/** What is hashed at once: it stays in the processor's cache between the read and the hash. */
const CHECKED_BYTES = 256 << 10;
/** The results of the first order that count: a kernel without fadvise64(2) (CONFIG_ADVISE_SYSCALLS) copies too. */
const FILES = 2;
/** A copy that was stopped ends with its part, unless the disk does not answer. */
const CLOSE_MS = 1000;

/** Copies part after part; a part is finished before the next one is begun. */
interface Copier {
  begin(): void;
  /** Returns how many bytes were copied; 0 at the end of the source. Throws SyscallError. */
  finish(): number;
  close(): void;
}

/**
 * Implements `Files.copyFile` by sendfile(2), which needs no buffer. (copy_file_range(2) does not cross filesystem types before Linux
 * 5.19, and never copies from a device.) If the bytes are checked, another process copies the next part meanwhile. What is checked is
 * the copy, so a disk that answers differently the second time changes nothing. `program` as in `startWorker`.
 */
export function copyFile(source: string, target: string, { onProgress, onBytes }: CopyWatch, program?: string): void {
  closing(openFile(source, "r"), (from) => {
    const to = openFile(target, "w+", 0o644);
    try {
      closing(to, () => {
        const worker = onBytes === undefined ? null : orIfRefused(() => startWorker(program), null);
        const copier = worker === null ? copyHere(from, to, source) : copyApart(worker, source, target);
        try {
          copyParts(copier, (offset, length) => {
            if (onBytes !== undefined) readBack(to, target, offset, length, onBytes);
            onProgress?.(offset + length);
          });
        } finally {
          copier.close();
        }
      });
    } catch (error) {
      fs.rmSync(target, { force: true });
      throw error;
    }
  });
}

function copyParts(copier: Copier, onPart: (offset: number, length: number) => void): void {
  copier.begin();
  for (let done = 0; ; ) {
    const count = copier.finish();
    if (count === 0) return;
    copier.begin();
    onPart(done, count);
    done += count;
  }
}

function readBack(fd: number, path: string, offset: number, length: number, onBytes: (part: Uint8Array) => void): void {
  const buffer = new Uint8Array(Math.min(length, CHECKED_BYTES));
  for (let done = 0; done < length; ) {
    const most = Math.min(buffer.length, length - done);
    const count = refusable(path, () => fs.readSync(fd, buffer, 0, most, offset + done));
    if (count === 0) throw new SyscallError("read", "EIO", path); // another process has truncated the copy
    onBytes(buffer.subarray(0, count));
    done += count;
  }
}

function copyHere(from: number, to: number, source: string): Copier {
  // The kernel reads ahead twice as far as usual. This was faster than POSIX_FADV_WILLNEED for each part (bench/ram-copy.ts).
  callKernel("fadvise64", [from, 0, 0, POSIX_FADV_SEQUENTIAL]);
  return {
    begin: () => undefined,
    finish: () => systemCall("sendfile", source, to, from, 0, PART_BYTES),
    close: () => undefined,
  };
}

function copyApart(worker: StartedWorker, source: string, target: string): Copier {
  worker.order(startCopyOrder(source, target));
  const [from = -1, to = -1] = unlessRefused(
    () => takeResults(worker, "open", source, FILES),
    (refusal) => {
      worker.dismiss();
      throw refusal;
    },
  );
  let isBusy = false;
  return {
    begin() {
      worker.order(copyOrder(from, to, PART_BYTES));
      isBusy = true;
    },
    finish() {
      isBusy = false;
      const [count = 0] = takeResults(worker, "sendfile", source, 1);
      return count;
    },
    close() {
      // Before the process ends: the kernel closes its files a little later, and until then the copy's filesystem is in use.
      tolerateRefusal(() => {
        if (isBusy && worker.answer(CLOSE_MS) === null) return;
        worker.order(endCopyOrder(from, to));
        worker.answer(CLOSE_MS);
      });
      worker.dismiss();
    },
  };
}

/** Waits for the answer, however long the disk needs. Throws SyscallError for the first of `count` calls that was refused. */
function takeResults(worker: StartedWorker, call: string, subject: string, count: number): readonly number[] {
  const { results } = worker.answer(Number.POSITIVE_INFINITY) ?? { results: ["EIO"] };
  return results.slice(0, count).map((result) => {
    if (typeof result === "string") throw new SyscallError(call, result, subject);
    return result;
  });
}
