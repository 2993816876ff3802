import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { be16, be32, be64, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const sector = (fromEnd: number) => SIZE - fromEnd * 512;

/** A version 0.90 superblock at the last aligned 64 KiB; the array uses 8 MiB. */
function md0(u32: (value: number) => readonly number[]): readonly Patch[] {
  const words = [0xa92b4efc, 0, 90, 3, 0, 0x11223344, 0, 1, 8192, 2, 2, 0, 0, 0x55667788, 0x99aabbcc, 0xddeeff00];
  return [patch(SIZE - 64 * KIB, ...words.map(u32))];
}

function md1(at: number): readonly Patch[] {
  const head = [le32(0xa92b4efc), le32(1), le32(0), le32(0), counting(16), "host:array"];
  return [patch(at, ...head), patch(at + 144, le64(at / 512)), patch(at + 168, counting(16, 33))];
}

function withSum(text: readonly number[], at: number): readonly number[] {
  const sum = text.reduce((total, byte, i) => (total + byte * (i % 2 === 0 ? 1 : 256)) & 0xffff, 0);
  return [...text.slice(0, at), ...le16(-sum & 0xffff)];
}

const silicon = (() => {
  const bytes = new Array<number>(0x13e).fill(0);
  bytes.splice(0x60, 4, ...le32(0x2f000000));
  bytes.splice(0x108, 4, ...le16(3), ...le16(2));
  bytes.splice(0x116, 1, 1);
  return withSum(bytes, 0x13e);
})();

const via = (() => {
  const bytes = [...le16(0xaa55), 1, ...counting(47)];
  return [...bytes, bytes.reduce((total, byte) => (total + byte) & 0xff, 0)];
})();

const ddfAnchor = [be32(0xde11de11), be32(0), "LSI-0123456789abcdefghij", "01.02.00"];

/** RAID members. */
export const RAID_HEADERS: readonly HandMade[] = [
  handMade(
    "md-0.90",
    SIZE,
    md0(le32),
    "VERSION=0.90.3 | UUID=11223344-5566-7788-99aa-bbccddeeff00 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "md-0.90-big-endian",
    SIZE,
    md0(be32),
    "VERSION=0.90.3 | UUID=11223344-5566-7788-99aa-bbccddeeff00 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "md-1.0",
    SIZE,
    md1(SIZE - 8 * KIB),
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | LABEL=host:array | VERSION=1.0 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "md-1.1",
    SIZE,
    md1(0),
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | LABEL=host:array | VERSION=1.1 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "md-1.2",
    SIZE,
    md1(4 * KIB),
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | UUID_SUB=21222324-2526-2728-292a-2b2c2d2e2f30 | LABEL=host:array | VERSION=1.2 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "md-1.2-moved",
    SIZE,
    [{ ...md1(4 * KIB)[0], at: 0 } as Patch],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | LABEL=host:array | VERSION=1.1 | TYPE=linux_raid_member | USAGE=raid",
  ),
  handMade(
    "ddf",
    SIZE,
    [patch(sector(1), ...ddfAnchor)],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade(
    "ddf-second-place",
    SIZE,
    [patch(sector(257), ...ddfAnchor)],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade(
    "ddf-primary",
    SIZE,
    [patch(sector(1), ...ddfAnchor), patch(sector(1) + 96, be64(100)), patch(51200, be32(0xde11de11))],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade("ddf-primary-lost", SIZE, [patch(sector(1), ...ddfAnchor), patch(sector(1) + 96, be64(100))], ""),
  handMade(
    "isw",
    SIZE,
    [patch(sector(2), "Intel Raid ISM Cfg Sig. 1.0.00")],
    "VERSION=1.0.00 | TYPE=isw_raid_member | USAGE=raid",
  ),
  handMade(
    "isw-short-version",
    SIZE,
    [patch(sector(2), "Intel Raid ISM Cfg Sig. 1.3")],
    "VERSION=\\ \\ \\ 1.3 | TYPE=isw_raid_member | USAGE=raid",
  ),
  handMade("lsi", SIZE, [patch(sector(1), "$XIDE$")], "TYPE=lsi_mega_raid_member | USAGE=raid"),
  handMade("via", SIZE, [patch(sector(1), via)], "VERSION=1 | TYPE=via_raid_member | USAGE=raid"),
  handMade("via-bad-sum", SIZE, [patch(sector(1), via.slice(0, 50), [7])], ""),
  handMade("silicon", SIZE, [patch(sector(1), silicon)], "VERSION=2.3 | TYPE=silicon_medley_raid_member | USAGE=raid"),
  handMade("silicon-bad-sum", SIZE, [patch(sector(1), silicon), patch(sector(1) + 4, [1])], ""),
  handMade(
    "nvidia",
    SIZE,
    [patch(sector(2), "NVIDIA  ", le32(0), le32(0), le16(100))],
    "VERSION=100 | TYPE=nvidia_raid_member | USAGE=raid",
  ),
  handMade(
    "promise",
    SIZE,
    [patch(sector(591), "Promise Technology, Inc.")],
    "TYPE=promise_fasttrack_raid_member | USAGE=raid",
  ),
  handMade("highpoint-45x", SIZE, [patch(sector(11), le32(0x5a7816f3))], "TYPE=hpt45x_raid_member | USAGE=raid"),
  handMade("highpoint-37x", SIZE, [patch(4640, le32(0x5a7816fd))], "TYPE=hpt37x_raid_member | USAGE=raid"),
  handMade(
    "adaptec",
    SIZE,
    [patch(sector(1), be32(0x37fc4d1e)), patch(sector(1) + 63, [8]), patch(sector(1) + 256, "DPTM")],
    "VERSION=8 | TYPE=adaptec_raid_member | USAGE=raid",
  ),
  handMade("jmicron", SIZE, [patch(sector(1), "JM", [2, 1])], "VERSION=1.2 | TYPE=jmicron_raid_member | USAGE=raid"),
  handMade("tiny-md-1.2", MIB, md1(4 * KIB), ""),
  handMade(
    "md-over-mbr",
    SIZE,
    [
      ...md0(le32),
      patch(446, [0, 0, 0, 0, 0x83, 0, 0, 0], le32(64), le32(SIZE / 512 - 64), new Array(48).fill(0), be16(0x55aa)),
    ],
    "PTTYPE=dos",
  ),
  handMade(
    "isw-over-mbr",
    SIZE,
    [
      patch(sector(2), latin1("Intel Raid ISM Cfg Sig. 1.0.00")),
      patch(446, [0, 0, 0, 0, 0x83, 0, 0, 0], le32(64), le32(1024), new Array(48).fill(0), be16(0x55aa)),
    ],
    "VERSION=1.0.00 | TYPE=isw_raid_member | USAGE=raid",
  ),
];
