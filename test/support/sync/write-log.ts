export interface LoggedWrite {
  /** Bytes. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const MAGIC = 0x6a736677736872n;
const DISCARD = 4n;

/** Reads the log of the kernel's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst, drivers/md/dm-log-writes.c): the writes in the order in which the disk had them. */
export function readWriteLog(log: Uint8Array): readonly LoggedWrite[] {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  if (view.getBigUint64(0, true) !== MAGIC) throw new Error("this is no log of dm-log-writes");
  const count = Number(view.getBigUint64(16, true));
  const sectorSize = view.getUint32(24, true);
  const writes: LoggedWrite[] = [];
  for (let entry = 0, at = sectorSize; entry < count; entry++) {
    const word = (index: number) => view.getBigUint64(at + index * 8, true);
    const [offset, bytes, flags] = [Number(word(0)) * sectorSize, Number(word(1)) * sectorSize, word(2)];
    at += sectorSize;
    if ((flags & DISCARD) !== 0n) continue;
    if (bytes > 0) writes.push({ offset, bytes: log.subarray(at, at + bytes) });
    at += bytes;
  }
  return writes;
}
