import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { printable } from "../../../problems/report.ts";
import { attempt } from "../../host.ts";
import { MIB } from "../layout.ts";

const CHUNK_BYTES = 4 * MIB;

/** Reads a file in parts of 4 MiB; between them, signals are handled. Throws BootError. */
export async function* readChunks(path: string): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const what = `cannot read ${printable(path)}`;
  const file = attempt(what, () => openSync(path, "r"));
  try {
    for (let at = 0; ; ) {
      const bytes = new Uint8Array(CHUNK_BYTES);
      const count = attempt(what, () => readSync(file, bytes, 0, bytes.length, at));
      if (count === 0) return;
      yield { at, bytes: bytes.subarray(0, count) };
      at += count;
      await Bun.sleep(0);
    }
  } finally {
    closeSync(file);
  }
}

/** Writes all of `bytes` at a place of an open file or device. Throws BootError. */
export function writeAt(file: number, name: string, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += attempt(`cannot write to ${printable(name)}`, () =>
      writeSync(file, bytes, done, bytes.length - done, at + done),
    );
  }
}

/** True if there is nothing but zeros. */
export function isZero(bytes: Uint8Array): boolean {
  const words = bytes.length - (bytes.length % 8);
  if (new BigUint64Array(bytes.buffer, bytes.byteOffset, words / 8).some((word) => word !== 0n)) return false;
  return bytes.subarray(words).every((byte) => byte === 0);
}
