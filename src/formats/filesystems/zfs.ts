import type { Area } from "../area.ts";
import { be64, le64 } from "../bytes.ts";
import { isCovered } from "../partitions/covered.ts";
import type { Signature } from "../signature.ts";
import { addVersion } from "../tags.ts";
import { addPoolTags } from "./zfs-names.ts";

// ZFS On-Disk Specification, chapter 1: four labels of 256 KiB, two at either end; each has a list of names at 16 KiB
// and 128 uberblocks of 1 KiB at 128 KiB.
const LABEL_BYTES = 256 * 1024;
const NAMES_AT = 16 * 1024;
const NAMES_BYTES = 4096;
const UBERBLOCKS_AT = 128 * 1024;
const UBERBLOCK_BYTES = 1024;
const UBERBLOCK_COUNT = 128;
const UBERBLOCK_MAGIC = 0x00bab10cn;
const WANTED = 4;

interface Uberblocks {
  readonly count: number;
  /** Of the last one. */
  readonly version: bigint;
}

function listLabels(size: number): readonly number[] {
  const end = size - (size % LABEL_BYTES);
  return [0, LABEL_BYTES, end - 2 * LABEL_BYTES, end - LABEL_BYTES];
}

/** The list of names begins with its encoding (1: XDR) and byte order. Without it the other half of the label is not read. */
function hasNames(area: Area, label: number): boolean {
  const head = area.bytes(label + NAMES_AT, 2);
  return head !== null && head[0] === 1 && (head[1] ?? 2) <= 1;
}

function findUberblocks(area: Area, label: number): Uberblocks {
  const ring = area.bytes(label + UBERBLOCKS_AT, UBERBLOCK_COUNT * UBERBLOCK_BYTES);
  let count = 0;
  let version = 0n;
  for (let at = 0; ring !== null && at < ring.length; at += UBERBLOCK_BYTES) {
    const read64 = [le64, be64].find((read) => read(ring, at) === UBERBLOCK_MAGIC);
    if (read64 !== undefined) {
      count++;
      version = read64(ring, at + 8);
    }
  }
  return { count, version };
}

/** A device of a ZFS pool: at least four uberblocks in its labels. Those inside a partition of a disk belong to the partition. */
export const zfs: Signature = {
  type: "zfs_member",
  usage: "filesystem",
  minSize: 64 * 1024 * 1024,
  magics: [],
  read(area, tags) {
    let count = 0;
    for (const label of listLabels(area.size).filter((offset) => hasNames(area, offset))) {
      const found =
        area.kind !== "partition" && isCovered(area, label, LABEL_BYTES) ? null : findUberblocks(area, label);
      count += found?.count ?? 0;
      if (found !== null && found.count > 0 && count >= WANTED) {
        addVersion(tags, found.version.toString());
        const aligned = label - (label % LABEL_BYTES);
        addPoolTags(area.bytes(aligned + NAMES_AT, NAMES_BYTES) ?? new Uint8Array(), tags);
        return true;
      }
    }
    return false;
  },
};
