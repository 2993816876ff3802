import { crc32c, rawCrc32 } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, MIB } from "./header.ts";
import { be32, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const PV_UUID = "abcdefghijklmnopqrstuvwxyz012345";

/** An LVM2 label in `sector`, with its checksum or a wrong one. */
function lvm2(sector: number, isRight = true): readonly Patch[] {
  const tail = new Uint8Array(492);
  tail.set(Uint8Array.from([...le32(32), ...latin1("LVM2 001"), ...latin1(PV_UUID)]));
  const sum = (rawCrc32(tail, 0xf597a6cf) ^ (isRight ? 0 : 1)) >>> 0;
  return [patch(sector * 512, "LABELONE", le64(sector), le32(sum), tail)];
}

function stratis(copy: number): readonly Patch[] {
  const rest = new Uint8Array(508);
  const text = (at: number, value: string) => rest.set(latin1(value), at - 4);
  text(4, "!Stra0tis\x86\xff\x02^Arh");
  rest.set(le64(131072), 20 - 4);
  text(32, "0123456789abcdef0123456789abcdef");
  text(64, "fedcba9876543210fedcba9876543210");
  rest.set(le64(1600000000), 120 - 4);
  return [patch(copy, le32(crc32c(rest)), rest)];
}

/** Metadata of DRBD 8 with a bit for each 4 KiB, or for another size. */
function drbd(bytesPerBit: number): readonly Patch[] {
  const at = SIZE - 4096;
  return [
    patch(at + 40, [0, 0, 0, 1, 2, 3, 4, 5]),
    patch(at + 60, be32(0x8374026c)),
    patch(at + 80, be32(bytesPerBit)),
  ];
}

/** Containers, and swap space with the memory of a hibernated machine. */
export const CONTAINER_HEADERS: readonly HandMade[] = [
  handMade(
    "lvm2-sector-0",
    SIZE,
    lvm2(0),
    "UUID=abcdef-ghij-klmn-opqr-stuv-wxyz-012345 | VERSION=LVM2\\ 001 | TYPE=LVM2_member | USAGE=raid",
  ),
  handMade(
    "lvm2-sector-2",
    SIZE,
    lvm2(2),
    "UUID=abcdef-ghij-klmn-opqr-stuv-wxyz-012345 | VERSION=LVM2\\ 001 | TYPE=LVM2_member | USAGE=raid",
  ),
  handMade("lvm2-bad-sum", SIZE, lvm2(1, false), ""),
  handMade(
    "lvm1",
    SIZE,
    [patch(0, "HM", le16(1)), patch(44, PV_UUID)],
    "UUID=abcdef-ghij-klmn-opqr-stuv-wxyz-012345 | TYPE=LVM1_member | USAGE=raid",
  ),
  handMade("dm-snapshot", SIZE, [patch(0, "SnAp")], "TYPE=DM_snapshot_cow | USAGE=other"),
  handMade(
    "vdo",
    SIZE,
    [patch(0, "dmvdo001"), patch(40, counting(16))],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=vdo | USAGE=other",
  ),
  handMade(
    "stratis",
    SIZE,
    stratis(512),
    "UUID=fedcba98-7654-3210-fedc-ba9876543210 | POOL_UUID=01234567-89ab-cdef-0123-456789abcdef | BLOCKDEV_SECTORS=131072 | BLOCKDEV_INITTIME=1600000000 | TYPE=stratis | USAGE=raid",
  ),
  handMade(
    "stratis-second-copy",
    SIZE,
    [patch(516, "!Stra0tis\x86\xff\x02^Arh"), ...stratis(512 * 9)],
    "UUID=fedcba98-7654-3210-fedc-ba9876543210 | POOL_UUID=01234567-89ab-cdef-0123-456789abcdef | BLOCKDEV_SECTORS=131072 | BLOCKDEV_INITTIME=1600000000 | TYPE=stratis | USAGE=raid",
  ),
  handMade(
    "drbdmanage",
    SIZE,
    [patch(0, "$DRBDmgr=q\0", "0123456789abcdef0123456789ABCDEF\n"), patch(4096, "\x1a\xdb\x98\xa2", be32(3))],
    "UUID=0123456789abcdef0123456789ABCDEF | VERSION=3 | TYPE=drbdmanage_control_volume | USAGE=other",
  ),
  handMade(
    "drbdproxy",
    SIZE,
    [patch(0, "DRBDdlh*", le64(7), counting(16))],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=v7 | TYPE=drbdproxy_datalog | USAGE=filesystem",
  ),
  handMade("drbd-unclean", SIZE, drbd(4096), "UUID=102030405 | VERSION=v08 | TYPE=drbd | USAGE=raid"),
  handMade("drbd-other-bitmap", SIZE, drbd(8192), ""),
  handMade("drbd-with-garbage", SIZE, [...drbd(4096), patch(SIZE - 9, [1])], ""),
  handMade("bluestore", SIZE, [patch(0, "bluestore block device\n")], "TYPE=ceph_bluestore | USAGE=other"),
  handMade(
    "vmfs-volume",
    SIZE,
    [
      patch(MIB, le32(0xc001d00d), le32(5)),
      patch(MIB + 130, counting(16)),
      patch(MIB + 532, "0123456789abcdef0123456789abcdef012"),
    ],
    "UUID_SUB=04030201-08070605-0a09-0b0c0d0e0f10 | VERSION=5 | UUID=0123456789abcdef0123456789abcdef012 | TYPE=VMFS_volume_member | USAGE=raid",
  ),
  handMade("swap-0", SIZE, [patch(4086, "SWAP-SPACE")], "VERSION=0 | TYPE=swap | USAGE=other"),
  handMade("swap-without-pages", SIZE, [patch(1024, le32(1), le32(0)), patch(4086, "SWAPSPACE2")], ""),
  handMade(
    "swap-with-garbage",
    SIZE,
    [patch(1024, le32(1), le32(9), le32(0), counting(16), "a label"), patch(1196, [1]), patch(4086, "SWAPSPACE2")],
    "VERSION=1 | TYPE=swap | USAGE=other",
  ),
  handMade(
    "swap-big-endian",
    SIZE,
    [patch(1024, be32(1), be32(9), be32(0), counting(16), "a label"), patch(16374, "SWAPSPACE2")],
    "LABEL=a\\ label | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=1 | TYPE=swap | USAGE=other",
  ),
  handMade(
    "suspend-2",
    SIZE,
    [patch(1024, le32(1), le32(9), le32(0), counting(16), "a label"), patch(4086, "S2SUSPEND")],
    "LABEL=a\\ label | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=s2suspend | TYPE=swsuspend | USAGE=other",
  ),
  handMade(
    "suspend-user",
    SIZE,
    [patch(1036, counting(16)), patch(8182, "ULSUSPEND")],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=ulsuspend | TYPE=swsuspend | USAGE=other",
  ),
  handMade(
    "suspend-tuxonice",
    SIZE,
    [patch(0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"), patch(1024, le32(1), le32(9)), patch(4086, "SWAPSPACE2")],
    "VERSION=tuxonice | TYPE=swsuspend | USAGE=other",
  ),
  handMade("suspend-linhib", SIZE, [patch(4086, "LINHIB0001")], "VERSION=linhib0001 | TYPE=swsuspend | USAGE=other"),
];
