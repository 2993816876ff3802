import { ArchiveError } from "./fault.ts";

/** The bytes of an archive, in their order. */
export interface ByteQueue {
  /** How many were taken. */
  readonly taken: number;
  /** Returns that many bytes. Throws ArchiveError if fewer are left. */
  take(length: number): Promise<Uint8Array>;
  /** Returns at least one byte and at most that many; valid until the next call. Throws ArchiveError at the end. */
  some(most: number): Promise<Uint8Array>;
  /** Takes that many bytes and drops them. */
  skip(length: number): Promise<void>;
}

/** Makes a queue of parts of any size. */
export function createByteQueue(parts: AsyncIterator<Uint8Array>): ByteQueue {
  let part: Uint8Array = new Uint8Array();
  let taken = 0;
  const some = async (most: number) => {
    while (part.length === 0) {
      const next = await parts.next();
      if (next.done === true) throw new ArchiveError("cut");
      part = next.value;
    }
    const bytes = part.subarray(0, most);
    part = part.subarray(bytes.length);
    taken += bytes.length;
    return bytes;
  };
  return {
    get taken() {
      return taken;
    },
    some,
    async take(length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const next = await some(length - done);
        bytes.set(next, done);
        done += next.length;
      }
      return bytes;
    },
    async skip(length) {
      for (let left = length; left > 0; ) left -= (await some(left)).length;
    },
  };
}
