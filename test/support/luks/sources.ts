import type { ByteSource } from "../../../src/formats/facts.ts";
import { type BootError, SyscallError } from "../../../src/problems/errors.ts";

/** Bytes as a device, which counts what is read of it and fails with EIO where `isBad` says so. */
export function byteSource(bytes: Uint8Array, isBad: (offset: number) => boolean = () => false) {
  const count = { reads: 0, bytes: 0 };
  const source: ByteSource = {
    size: bytes.length,
    read(offset, length) {
      if (isBad(offset)) throw new SyscallError("pread", "EIO", "/dev/bad");
      count.reads += 1;
      const part = bytes.slice(offset, offset + length);
      count.bytes += part.length;
      return part;
    },
  };
  return { ...source, count };
}

/** The content of a file, which may be changed here and stays as it is there. Only what is touched is read: images are mostly holes. */
export function mapFile(path: string): Buffer {
  return Buffer.from(Bun.mmap(path, { shared: false }).buffer);
}

/** A function that must throw, and the whole of what it says. */
export function whatItSays(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { hints = [], seen = [] } = error as Partial<BootError>;
    return [error.message, ...seen, hints.map(({ text }) => text).join("\n")].join("\n");
  }
  throw new Error("it did not throw");
}
