import type { Area } from "../../area.ts";
import { holds, le16, le32, le64 } from "../../bytes.ts";
import { findMagic, type Magic, type Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addTag } from "../../tags.ts";
import { toUtf8 } from "../../text.ts";

const MAGICS: readonly Magic[] = [{ text: "NTFS    ", at: 3 }];
const MAX_CLUSTER_BYTES = 2 * 1024 * 1024;
const VOLUME_RECORD = 3;
const VOLUME_NAME = 0x60;
const END = 0xffffffff;
// FAT's fields that NTFS leaves zero: reserved sectors, tables, root entries, sectors, sectors per table, large sectors.
const ZERO_BYTES = [14, 15, 16, 17, 18, 19, 20, 22, 23, 32, 33, 34, 35];

function readSectorsPerCluster(code: number): number {
  if ([1, 2, 4, 8, 16, 32, 64, 128].includes(code)) return code;
  return code >= 240 && code <= 249 ? 1 << (256 - code) : 0;
}

/** Returns the bytes of a record of the master file table; 0 for an invalid value. Values over 0x7f are negated logarithms. */
function readRecordBytes(code: number, clusterBytes: number): number {
  if (code >= 0xe1 && code <= 0xf7) return (1 << (256 - code)) >>> 0;
  return [1, 2, 4, 8, 16, 32, 64].includes(code) ? code * clusterBytes : 0;
}

/** Finds the record of $Volume in the master file table; null if this is not NTFS. */
function findVolumeRecord(area: Area, boot: Uint8Array): Uint8Array | null {
  const sectorSize = le16(boot, 11);
  const sectorsPerCluster = readSectorsPerCluster(boot[13] ?? 0);
  const clusterBytes = sectorSize * sectorsPerCluster;
  const isZero = ZERO_BYTES.every((at) => boot[at] === 0);
  if (sectorSize < 256 || sectorSize > 4096 || clusterBytes === 0 || clusterBytes > MAX_CLUSTER_BYTES || !isZero) {
    return null;
  }
  const recordBytes = readRecordBytes(boot[64] ?? 0, clusterBytes);
  const clusters = le64(boot, 40) / BigInt(sectorsPerCluster);
  const table = le64(boot, 48);
  if (recordBytes < 4 || table > clusters || le64(boot, 56) > clusters) return null;
  const offset = Number(BigInt.asUintN(64, table * BigInt(clusterBytes)));
  return readRecord(area, offset, recordBytes) && readRecord(area, offset + VOLUME_RECORD * recordBytes, recordBytes);
}

function readRecord(area: Area, offset: number, length: number): Uint8Array | null {
  const record = area.bytes(offset, length);
  return record !== null && holds(record, 0, "FILE") ? record : null;
}

/** Finds the volume name, a resident attribute of $Volume, in UTF-16LE, or null. */
function findVolumeName(record: Uint8Array): Uint8Array | null {
  const allocated = le32(record, 28);
  let at = le16(record, 20);
  // 22: the bytes of an attribute's head that are read.
  while (at + 22 <= record.length && at <= allocated) {
    const type = le32(record, at);
    const length = le32(record, at + 4);
    if (length === 0 || type === END) return null;
    if (type === VOLUME_NAME) {
      const start = at + le16(record, at + 20);
      const end = start + le32(record, at + 16);
      return end <= record.length ? record.subarray(start, end) : null;
    }
    at += length;
  }
  return null;
}

/** True if the device begins with NTFS, whose boot sector looks like an MBR. */
export function isNtfs(area: Area): boolean {
  const boot = area.bytes(0, 512);
  return boot !== null && findMagic(area, MAGICS) !== null && findVolumeRecord(area, boot) !== null;
}

/** NTFS. */
export const ntfs: Signature = {
  type: "ntfs",
  usage: "filesystem",
  magics: MAGICS,
  read(area, tags) {
    const boot = area.bytes(0, 512);
    const record = boot === null ? null : findVolumeRecord(area, boot);
    if (boot === null || record === null) return false;
    addLabel(tags, toUtf8(findVolumeName(record) ?? new Uint8Array(), "utf-16le"));
    addBlockSize(tags, le16(boot, 11));
    const serial = le64(boot, 72);
    if (serial !== 0n) addTag(tags, "UUID", serial.toString(16).toUpperCase().padStart(16, "0"));
    return true;
  },
};
