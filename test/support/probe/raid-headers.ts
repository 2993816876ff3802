import { le32 as readLe32 } from "../../../src/formats/bytes.ts";
import { rawCrc32 } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { be16, be32, be64, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const sector = (fromEnd: number) => SIZE - fromEnd * 512;

/** A version 0.90 superblock at the last aligned 64 KiB; the array uses 8 MiB. */
function md0(u32: (value: number) => readonly number[]): readonly Patch[] {
  const words = [0xa92b4efc, 0, 90, 3, 0, 0x11223344, 0, 1, 8192, 2, 2, 0, 0, 0x55667788, 0x99aabbcc, 0xddeeff00];
  return [patch(SIZE - 64 * KIB, ...words.map(u32))];
}

/** A version 1 superblock for the place `at`, with the roles of three devices and its sum. */
function md1(at: number): readonly Patch[] {
  const sb = new Uint8Array(256 + 3 * 2);
  sb.set([...le32(0xa92b4efc), ...le32(1), ...le32(0), ...le32(0), ...counting(16), ...latin1("host:array")]);
  sb.set(le64(at / 512), 144);
  sb.set(counting(16, 33), 168);
  sb.set(le32(3), 220);
  sb.set([...le16(0), ...le16(1), ...le16(0xfffe)], 256);
  let sum = 0;
  for (let word = 0; word < sb.length; word += 4) sum += readLe32(sb, word);
  sb.set(le32(Math.floor(sum / 2 ** 32) + (sum % 2 ** 32)), 216);
  return [{ at, bytes: sb }];
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

/** The anchor of a DDF with its checksum; `primary` is the sector of the primary header. */
function ddf(at: number, primary = 0): Patch {
  const anchor = new Uint8Array(512);
  anchor.set([...be32(0xde11de11), ...be32(0xffffffff), ...latin1("LSI-0123456789abcdefghij01.02.00")]);
  anchor.set(be64(primary), 96);
  anchor.set(be32(rawCrc32(anchor, 0)), 4);
  return { at, bytes: anchor };
}

/** The words of NVIDIA's metadata add up to zero. */
const nvidia = [...latin1("NVIDIA  "), ...le32(30), ...le32(nvidiaSum()), ...le16(100)];

function nvidiaSum(): number {
  const others = Uint8Array.from([...latin1("NVIDIA  "), ...le32(30), ...le32(0), ...le16(100), 0, 0]);
  let sum = 0;
  for (let word = 0; word < others.length; word += 4) sum += readLe32(others, word);
  return -sum >>> 0;
}

/** JMicron's metadata of RAID level 1 with its checksum. */
const jmicron = withSum([...latin1("JM"), 2, 1], 4);

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
  handMade("md-1.2-moved", SIZE, [{ ...md1(4 * KIB)[0], at: 0 } as Patch], ""),
  handMade("md-1.2-bad-sum", SIZE, [...md1(4 * KIB), patch(4 * KIB + 16, [9])], ""),
  handMade(
    "ddf",
    SIZE,
    [ddf(sector(1))],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade(
    "ddf-second-place",
    SIZE,
    [ddf(sector(257))],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade(
    "ddf-primary",
    SIZE,
    [ddf(sector(1), 100), patch(51200, be32(0xde11de11))],
    "UUID=LSI-0123456789abcdefghij | VERSION=01.02.00 | TYPE=ddf_raid_member | USAGE=raid",
  ),
  handMade("ddf-primary-lost", SIZE, [ddf(sector(1), 100)], ""),
  handMade("ddf-bad-sum", SIZE, [ddf(sector(1)), patch(sector(1) + 8, "X")], ""),
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
  handMade("nvidia", SIZE, [patch(sector(2), nvidia)], "VERSION=100 | TYPE=nvidia_raid_member | USAGE=raid"),
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
  handMade("nvidia-bad-sum", SIZE, [patch(sector(2), nvidia, [1])], ""),
  handMade("jmicron", SIZE, [patch(sector(1), jmicron)], "VERSION=1.2 | TYPE=jmicron_raid_member | USAGE=raid"),
  handMade("jmicron-bad-sum", SIZE, [patch(sector(1), jmicron, [7])], ""),
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
