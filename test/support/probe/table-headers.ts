import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { be32, latin1, le16, le32, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;

/** An entry of an MBR in sectors. */
function mbr(
  at: number,
  ...entries: readonly (readonly [type: number, start: number, size: number])[]
): readonly Patch[] {
  const bytes = entries.flatMap(([type, start, size]) => [0, 0, 0, 0, type, 0, 0, 0, ...le32(start), ...le32(size)]);
  return [patch(at + 446, bytes), patch(at + 510, "\x55\xaa")];
}

const solaris = (at: number) => [
  patch(at + 512 + 12, le32(0x600ddeee), le32(1)),
  patch(at + 512 + 30, le16(8)),
  patch(
    at + 512 + 72,
    le16(2),
    le16(1),
    le32(64),
    le32(1000),
    le16(5),
    le16(0),
    le32(0),
    le32(9000),
    le16(3),
    le16(0),
    le32(2000),
    le32(500),
  ),
];

const PARENT = 2048 * 512;

/** Partition tables without a tool in Debian 12. */
export const TABLE_HEADERS: readonly HandMade[] = [
  handMade("aix", SIZE, [patch(0, "\xc9\xc2\xd4\xc1")], "PTTYPE=aix"),
  handMade(
    "ultrix",
    SIZE,
    [patch(16384 - 72, le32(0x032957), le32(1), le32(1000), le32(0), le32(0), le32(0), le32(500), le32(1000))],
    "PTTYPE=ultrix",
  ),
  handMade("solaris", SIZE, solaris(0), "PTTYPE=solaris"),
  handMade("solaris-in-mbr", SIZE, [...mbr(0, [0x82, 2048, 10000]), ...solaris(PARENT)], "PTTYPE=dos"),
  handMade(
    "minix-in-mbr",
    SIZE,
    [
      ...mbr(0, [0x81, 2048, 10000], [0x83, 20000, 100]),
      ...mbr(PARENT, [0x81, 2100, 100], [0x81, 3000, 9999], [0x81, 4000, 100]),
    ],
    "PTTYPE=dos",
  ),
  handMade(
    "mbr-loop",
    SIZE,
    [
      ...mbr(0, [0x05, 2048, 10000]),
      ...mbr(PARENT, [0x83, 1, 10], [0x05, 100, 100]),
      ...mbr(PARENT + 100 * 512, [0x83, 1, 10], [0x05, 100, 100]),
    ],
    "PTTYPE=dos",
  ),
  handMade("mbr-bad-indicator", SIZE, [...mbr(0, [0x83, 2048, 1000]), patch(446, [0x7f])], ""),
  handMade("mbr-beyond-end", SIZE, mbr(0, [0x83, 2048, 0x7fffffff]), "PTTYPE=dos"),
  handMade(
    "atari-bad-blocks",
    SIZE,
    [patch(0x1c2, be32(SIZE / 512), [1], "GEM", be32(2), be32(100)), patch(0x1f6, be32(1), be32(0xffffff))],
    "",
  ),
  handMade(
    "atari-icd",
    SIZE,
    [
      patch(0x156, [1], latin1("LNX"), be32(1000), be32(50)),
      patch(0x1c2, be32(SIZE / 512), [1], "GEM", be32(2), be32(100)),
    ],
    "PTTYPE=atari",
  ),
  handMade("pmbr-only", SIZE, mbr(0, [0xee, 1, 1000]), "PTTYPE=PMBR"),
  handMade("tiny", 2 * KIB, mbr(0, [0x83, 1, 2]), "PTTYPE=dos"),
  handMade("sun-bad-sum", SIZE, [patch(508, "\xda\xbe")], ""),
  handMade("sgi-bad-sum", SIZE, [patch(0, "\x0b\xe5\xa9\x41")], ""),
  handMade("mac-bad-entry", SIZE, [patch(0, "ER", [2, 0]), patch(512, "PX")], ""),
];
