import { le32 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

const SUPERBLOCK = 1024;

/** Returns when a filesystem was last written, in seconds since 1970, as its superblock says; null if it does not. Throws SyscallError if it cannot be read. */
export function readLastWrite(source: ByteSource, type: string | null): number | null {
  if (!/^ext[234]$/.test(type ?? "")) return null;
  // s_wtime and s_wtime_hi (fs/ext4/ext4.h).
  const superblock = source.read(SUPERBLOCK, 1024);
  if (superblock.length < 1024) return null;
  const seconds = le32(superblock, 0x30) + (superblock[0x274] ?? 0) * 2 ** 32;
  return seconds === 0 ? null : seconds;
}
