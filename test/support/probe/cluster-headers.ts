import { rawCrc32c } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, MIB } from "./header.ts";
import { be32, counting, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;

/** The superblock of a device of scoutfs with its checksum: flag 1 is the device for metadata. */
function scoutfs(flags: number): Patch {
  const sb = new Uint8Array(4096);
  sb.set([...le32(0), ...le32(0x103c428b), ...le64(0xabcdef)]);
  sb.set([...le64(2), ...le64(flags), ...counting(16)], 40);
  sb.set(le32(rawCrc32c(sb.subarray(4))), 0);
  return { at: 65536, bytes: sb };
}

/** Filesystems that several machines share. */
export const CLUSTER_HEADERS: readonly HandMade[] = [
  handMade(
    "gfs",
    SIZE,
    [
      patch(65536, be32(0x01161970)),
      patch(65560, be32(1309), be32(1401)),
      patch(65696, "alpha:fs"),
      patch(65792, counting(16)),
    ],
    "LABEL=alpha:fs | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=gfs | USAGE=filesystem",
  ),
  handMade(
    "ocfs",
    SIZE,
    [
      patch(8192, "OracleCFS"),
      patch(8328, "/mnt/point"),
      patch(8456, le16(10)),
      patch(8752, "ocfs label"),
      patch(8816, le16(10), counting(16)),
    ],
    "SEC_TYPE=ntocfs | LABEL=ocfs\\ label | MOUNT=/mnt/point | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=1178821996.1667330639 | TYPE=ocfs | USAGE=filesystem",
  ),
  handMade("oracleasm", SIZE, [patch(32, "ORCLDISK", "VOL1")], "LABEL=VOL1 | TYPE=oracleasm | USAGE=filesystem"),
  handMade(
    "scoutfs-metadata",
    SIZE,
    [scoutfs(1)],
    "VERSION=2 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | FSID=0000000000abcdef | BLOCK_SIZE=65536 | TYPE=scoutfs_meta | USAGE=filesystem",
  ),
  handMade(
    "scoutfs-data",
    SIZE,
    [scoutfs(0)],
    "VERSION=2 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | FSID=0000000000abcdef | BLOCK_SIZE=4096 | TYPE=scoutfs_data | USAGE=filesystem",
  ),
  handMade("scoutfs-bad-sum", SIZE, [scoutfs(0), patch(65536 + 56, [9])], ""),
];
