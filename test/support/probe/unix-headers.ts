import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { be16, be32, counting, le16, le32, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const utf16be = (text: string) => Uint8Array.from([...text].flatMap((letter) => be16(letter.charCodeAt(0))));

/** Makes an HFS+ volume `start` bytes into the device with its name in the first leaf of the catalog. */
function hfsplus(start: number, signature: string, name: string): readonly Patch[] {
  const header = start + 1024;
  const catalog = start + 16 * 4096;
  return [
    patch(header, signature, be16(4)),
    patch(header + 40, be32(4096)),
    patch(header + 104, counting(8)),
    patch(header + 288, be32(16), be32(8)),
    patch(catalog + 14 + 6, be32(1), be32(1)),
    patch(catalog + 14 + 18, be16(4096)),
    patch(catalog + 4096 + 8, [0xff, 1], be16(1)),
    patch(catalog + 4096 + 14, be16(10), be32(1), be16(name.length), utf16be(name)),
  ];
}

function ufs(place: number, magic: readonly number[], u32: (value: number) => readonly number[]): readonly Patch[] {
  return [
    patch(place + 52, u32(2048)),
    patch(place + 144, u32(0x1234), u32(0xabcdef01)),
    patch(place + 680, "ufs volume"),
    patch(place + 1372, magic),
  ];
}

const minixNoExt = [patch(1024 + 0x38, "\x53\xef")];
const minix1 = (u16: (value: number) => readonly number[]) => [
  patch(1024, u16(64), u16(1000), u16(1), u16(1), u16(20), u16(0), [0, 0, 0, 0], u16(0x138f), u16(1)),
];

/** Filesystems of Apple, old Unix systems, OS/2, Windows and NetWare. */
export const UNIX_HEADERS: readonly HandMade[] = [
  handMade(
    "hfsplus",
    SIZE,
    hfsplus(0, "H+", "Macintosh ä"),
    "UUID=6095e009-5132-3fc5-87c2-d5a01745283e | BLOCK_SIZE=4096 | LABEL=Macintosh\\ M-CM-\\$ | TYPE=hfsplus | USAGE=filesystem",
  ),
  handMade(
    "hfsx",
    SIZE,
    hfsplus(0, "HX", "case matters"),
    "UUID=6095e009-5132-3fc5-87c2-d5a01745283e | BLOCK_SIZE=4096 | LABEL=case\\ matters | TYPE=hfsplus | USAGE=filesystem",
  ),
  handMade(
    "hfsplus-embedded",
    SIZE,
    [
      patch(1024, "BD"),
      patch(1024 + 20, be32(4096)),
      patch(1024 + 28, be16(8)),
      patch(1024 + 124, "H+", be16(2), be16(100)),
      ...hfsplus(8 * 512 + 2 * 4096, "H+", "inside"),
    ],
    "UUID=6095e009-5132-3fc5-87c2-d5a01745283e | BLOCK_SIZE=4096 | LABEL=inside | TYPE=hfsplus | USAGE=filesystem",
  ),
  handMade(
    "hfs",
    SIZE,
    [patch(1024, "BD"), patch(1044, be32(512)), patch(1060, [5], "Label junk"), patch(1140, counting(8))],
    "UUID=6095e009-5132-3fc5-87c2-d5a01745283e | LABEL=Label | TYPE=hfs | USAGE=filesystem",
  ),
  handMade(
    "ufs-1",
    SIZE,
    ufs(8 * KIB, le32(0x011954), le32),
    "VERSION=1 | UUID=00001234abcdef01 | BLOCK_SIZE=2048 | TYPE=ufs | USAGE=filesystem",
  ),
  handMade(
    "ufs-2",
    SIZE,
    ufs(64 * KIB, le32(0x19540119), le32),
    "VERSION=2 | LABEL=ufs\\ volume | UUID=00001234abcdef01 | BLOCK_SIZE=2048 | TYPE=ufs | USAGE=filesystem",
  ),
  handMade(
    "ufs-2-big-endian",
    SIZE,
    ufs(256 * KIB, be32(0x19540119), be32),
    "VERSION=2 | LABEL=ufs\\ volume | UUID=00001234abcdef01 | BLOCK_SIZE=2048 | TYPE=ufs | USAGE=filesystem",
  ),
  handMade(
    "hpfs",
    SIZE,
    [
      patch(38, [0x28], counting(4), "OS2 LABEL  ", "HPFS    "),
      patch(510, "\x55\xaa"),
      patch(8192, le32(0xf995e849), le32(0), [2]),
      patch(8704, le32(0xf9911849)),
    ],
    "LABEL=OS2\\ LABEL | UUID=0403-0201 | VERSION=2 | BLOCK_SIZE=512 | TYPE=hpfs | USAGE=filesystem | PTTYPE=dos",
  ),
  handMade(
    "sysv",
    SIZE,
    [patch(512 + 440, "sysv"), patch(512 + 504, le32(0xfd187e20))],
    "LABEL=sysv | TYPE=sysv | USAGE=filesystem",
  ),
  handMade(
    "sysv-block-9",
    SIZE,
    [patch(9728 + 440, "sysv9 "), patch(9728 + 504, be32(0xfd187e20))],
    "LABEL=sysv9 | TYPE=sysv | USAGE=filesystem",
  ),
  handMade(
    "xenix",
    SIZE,
    [patch(1024 + 632, "xenix"), patch(2048, "\x2b\x55\x44")],
    "LABEL=xenix | TYPE=xenix | USAGE=filesystem",
  ),
  handMade("refs", SIZE, [patch(0, "\0\0\0ReFS\0")], "TYPE=ReFS | USAGE=filesystem"),
  handMade(
    "vxfs",
    SIZE,
    [patch(1024, le32(0xa501fcf5), le32(7)), patch(1056, le32(1024))],
    "VERSION=7 | BLOCK_SIZE=1024 | TYPE=vxfs | USAGE=filesystem",
  ),
  handMade(
    "vxfs-big-endian",
    SIZE,
    [patch(8192, be32(0xa501fcf5), be32(7)), patch(8224, be32(8192))],
    "VERSION=7 | BLOCK_SIZE=8192 | TYPE=vxfs | USAGE=filesystem",
  ),
  handMade(
    "nss",
    SIZE,
    [patch(4096, "SPB5", le16(1), le16(2), le16(3), le16(4)), patch(4444, counting(16))],
    "UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | VERSION=3.04 | TYPE=nss | USAGE=filesystem",
  ),
  handMade("minix-1-big-endian", SIZE, minix1(be16), "VERSION=1 | BLOCK_SIZE=1024 | TYPE=minix | USAGE=filesystem"),
  handMade(
    "minix-1-but-ext",
    SIZE,
    [...minix1(le16), ...minixNoExt],
    "VERSION=0.0 | BLOCK_SIZE=1024 | TYPE=ext2 | USAGE=filesystem",
  ),
];
