import type { Area } from "../area.ts";
import { be32, be64, formatVmfsUuid, holds, isEmpty, le16, le32, le64 } from "../bytes.ts";
import { crc32c, rawCrc32 } from "../checksums.ts";
import { accept, at, crypto, filesystem, header, other, raid, tag, uuid, uuidText, version, when } from "../layout.ts";
import type { Magic, Signature } from "../signature.ts";
import { addUuidText } from "../tags.ts";
import { bcache } from "./bcache.ts";
import { bcachefs } from "./bcachefs.ts";
import { bitlocker } from "./bitlocker.ts";
import { coreStorage } from "./core-storage.ts";
import { luks } from "./luks.ts";

const MIB = 1024 * 1024;

/** Inserts a dash before each of these characters. */
function dashed(text: Uint8Array, before: readonly number[]): Uint8Array {
  return Uint8Array.from(Array.from(text).flatMap((byte, i) => (before.includes(i) ? [0x2d, byte] : [byte])));
}

/** LVM's 32 characters with dashes: "xxxxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxxxx". */
function pvUuid(offset: number) {
  return tag("UUID", (bytes) => {
    const id = bytes.subarray(offset, offset + 32);
    return isEmpty(id) ? null : dashed(id, [6, 10, 14, 18, 22, 26]);
  });
}

/** The label of lib/format_text/layout.h in lvm2: 512 bytes, in one of the first four sectors. */
function findLvm2(area: Area, magic: Magic): Uint8Array | null {
  const base = magic.at - (magic.at % 1024);
  const block = area.bytes(base, 1024);
  if (block === null) return null;
  const start = holds(block, 0, "LABELONE") ? 0 : 512;
  const bytes = block.subarray(start, start + 512);
  const isLabel = holds(bytes, 0, "LABELONE") && le64(bytes, 8) === BigInt((base + start) / 512);
  return isLabel && rawCrc32(bytes.subarray(20), 0xf597a6cf) === le32(bytes, 16) ? bytes : null;
}

// DRBD_MD_MAGIC_08, _84_UNCLEAN and _09 of drbd_meta_data.h; both layouts have the magic in the same place.
const DRBD_VERSIONS: Readonly<Record<string, string>> = {
  "\x83\x74\x02\x6b": "v08",
  "\x83\x74\x02\x6c": "v08",
  "\x83\x74\x02\x6d": "v09",
};
const DRBD_BYTES = 4096;
const DRBD_MAGIC_AT = 60;
const drbdVersion = (_bytes: Uint8Array, { text }: Magic) => DRBD_VERSIONS[text] ?? "";

/** Finds the metadata in the last 4 KiB: a bit for each 4 KiB, and zeros after the fields. */
function findDrbd(area: Area, magic: Magic): Uint8Array | null {
  return accept(area.bytes(magic.at - DRBD_MAGIC_AT, DRBD_BYTES), magic, (bytes) => {
    const fieldBytes = drbdVersion(bytes, magic) === "v08" ? 100 : 1392;
    return be32(bytes, 80) === 4096 && isEmpty(bytes.subarray(fieldBytes));
  });
}

const STRATIS_MAGIC = "!Stra0tis\x86\xff\x02^Arh";
const STRATIS_COPIES = [512, 512 * 9];
const stratisUuid = (bytes: Uint8Array, offset: number) => dashed(bytes.subarray(offset, offset + 32), [8, 12, 16, 20]);

/** Finds the first of two copies whose checksum is right (Stratis Software Design, 5.2). */
function findStratis(area: Area): Uint8Array | null {
  const copies = STRATIS_COPIES.map((offset) => area.bytes(offset, 512));
  return copies.find((copy) => copy !== null && crc32c(copy.subarray(4)) === le32(copy, 0)) ?? null;
}

/** Containers of other volumes: caches, mirrors, volume groups, encryption. */
export const CONTAINERS: readonly Signature[] = [
  bcache,
  bcachefs,
  other("ceph_bluestore", at(0, "bluestore block device")),
  raid(
    "drbd",
    at(DRBD_MAGIC_AT - DRBD_BYTES, ...Object.keys(DRBD_VERSIONS)),
    findDrbd,
    [
      tag("UUID", (bytes, magic) => {
        const id = be64(bytes, drbdVersion(bytes, magic) === "v08" ? 40 : 48);
        return id === 0n ? null : id.toString(16);
      }),
      version(drbdVersion),
    ],
    { minSize: 64 * 1024 },
  ),
  // The control volume of drbdmanage, with a second magic at 4 KiB.
  other(
    "drbdmanage_control_volume",
    at(0, "$DRBDmgr=q"),
    header(
      0,
      4104,
      (bytes) => bytes[43] === 0x0a && /^[0-9a-f]{32}$/i.test(String.fromCharCode(...bytes.subarray(11, 43))),
    ),
    [
      uuidText(11, 32),
      when(
        (bytes) => holds(bytes, 4096, "\x1a\xdb\x98\xa2"),
        version((bytes) => be32(bytes, 4100) | 0),
      ),
    ],
    { minSize: 64 * 1024 },
  ),
  filesystem(
    "drbdproxy_datalog",
    at(0, "DRBDdlh*"),
    header(0, 40),
    [uuid(16), version((bytes) => `v${le64(bytes, 8)}`)],
    { minSize: 16 * 1024 },
  ),
  raid(
    "LVM2_member",
    [0x218, 0x18, 0x418, 0x618].flatMap((offset) => at(offset, "LVM2 001")),
    findLvm2,
    [pvUuid(32), version("LVM2 001")],
    { wipesTable: true },
  ),
  raid(
    "LVM1_member",
    at(0, "HM"),
    header(0, 172, (bytes) => [1, 2].includes(le16(bytes, 2))),
    [pvUuid(44)],
  ),
  other("DM_snapshot_cow", at(0, "SnAp")),
  // cryptsetup, lib/verity/verity.c.
  crypto(
    "DM_verity_hash",
    at(0, "verity\0\0"),
    header(0, 512, (sb) => le32(sb, 8) === 1),
    [uuid(16), version("1")],
  ),
  // struct superblock of drivers/md/dm-integrity.c.
  crypto(
    "DM_integrity",
    at(0, "integrt\0"),
    header(0, 29, (sb) => sb[8] !== 0),
    [version((sb) => sb[8] ?? 0)],
  ),
  luks,
  raid("VMFS_volume_member", at(MIB, "\x0d\xd0\x01\xc0"), header(MIB, 567), [
    tag("UUID_SUB", (bytes) => formatVmfsUuid(bytes.subarray(130, 146))),
    version((bytes) => le32(bytes, 4)),
    uuidText(532, 35),
  ]),
  // drivers/mtd/ubi/ubi-media.h: volumes on raw flash.
  raid(
    "ubi",
    at(0, "UBI#"),
    header(0, 64, (bytes) => rawCrc32(bytes.subarray(0, 60), 0xffffffff) === be32(bytes, 60)),
    [
      version((bytes) => bytes[4] ?? 0),
      tag("UUID", (bytes) => (be32(bytes, 24) === 0 ? null : String(be32(bytes, 24)))),
    ],
  ),
  other("vdo", at(0, "dmvdo001"), header(0, 56), [uuid(40)]),
  raid(
    "stratis",
    STRATIS_COPIES.flatMap((offset) => at(offset + 4, STRATIS_MAGIC)),
    findStratis,
    [
      (tags, bytes) => void addUuidText(tags, stratisUuid(bytes, 64)),
      tag("POOL_UUID", (bytes) => stratisUuid(bytes, 32)),
      tag("BLOCKDEV_SECTORS", (bytes) => String(le64(bytes, 20))),
      tag("BLOCKDEV_INITTIME", (bytes) => String(le64(bytes, 120))),
    ],
    { minSize: 8192 },
  ),
  bitlocker,
  coreStorage,
];
