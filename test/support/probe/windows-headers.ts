import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;
const MFT = 16 * KIB;
const utf16le = (text: string) => Uint8Array.from([...text].flatMap((letter) => le16(letter.charCodeAt(0))));

/** Makes NTFS whose record of $Volume has these attributes. */
function ntfs(...attributes: readonly (readonly number[])[]): readonly Patch[] {
  return [
    patch(0, "\xeb\x52\x90NTFS    ", le16(512), [8]),
    patch(40, le64(SIZE / 512), le64(4), le64(4), [0xf6]),
    patch(72, le64(0x1122334455667788n)),
    patch(510, "\x55\xaa"),
    patch(MFT, "FILE"),
    patch(MFT + 3 * KIB, "FILE"),
    patch(MFT + 3 * KIB + 20, le16(56), le16(1), le32(400), le32(1024)),
    patch(MFT + 3 * KIB + 56, attributes.flat()),
  ];
}

/** Makes an attribute of `length` bytes with its value after a head of 24. */
function attribute(type: number, length: number, value: Uint8Array): readonly number[] {
  const bytes = new Uint8Array(length);
  bytes.set([...le32(type), ...le32(length)]);
  bytes.set([...le32(value.length), ...le16(24)], 16);
  bytes.set(value, 24);
  return [...bytes];
}

const standard = attribute(0x10, 48, new Uint8Array(4));
const name = attribute(0x60, 48, utf16le("hand made"));
const nameBeyond = [...le32(0x60), ...le32(48), ...new Array<number>(8).fill(0), ...le32(2000), ...le16(24)];

/** Parameters of FAT: 512-byte sectors, 8 a cluster, one reserved, two tables of 16. */
const fat16 = [
  patch(11, le16(512), [8], le16(1), [2], le16(512), le16(0), [0xf8], le16(16)),
  patch(32, le32(20000)),
  patch(510, "\x55\xaa"),
];
/** The boot region of exFAT with its checksum in every word of the twelfth sector. */
function exfat(blockLog: number, clusterLog: number, dataStart = 512): readonly Patch[] {
  const sectorBytes = 1 << blockLog;
  const region = new Uint8Array(12 * sectorBytes);
  region.set(latin1("\xeb\x76\x90EXFAT   "));
  region.set([...le32(128), ...le32(128), ...le32(dataStart), ...le32(1000), ...le32(4), ...counting(4), 0, 1], 80);
  region.set([blockLog, clusterLog, 1], 108);
  region.set([0x55, 0xaa], 510);
  let sum = 0;
  for (const [at, byte] of region.subarray(0, 11 * sectorBytes).entries()) {
    if (![106, 107, 112].includes(at)) sum = (((sum << 31) | (sum >>> 1)) + byte) >>> 0;
  }
  for (let at = 11 * sectorBytes; at < region.length; at += 4) region.set(le32(sum), at);
  return [{ at: 0, bytes: region }];
}

/** Filesystems of Windows in forms that no tool makes. */
export const WINDOWS_HEADERS: readonly HandMade[] = [
  handMade(
    "ntfs-named",
    SIZE,
    ntfs(standard, name),
    "LABEL=hand\\ made | BLOCK_SIZE=512 | UUID=1122334455667788 | TYPE=ntfs | USAGE=filesystem",
  ),
  handMade(
    "ntfs-unnamed",
    SIZE,
    ntfs(standard, [...le32(0xffffffff)]),
    "BLOCK_SIZE=512 | UUID=1122334455667788 | TYPE=ntfs | USAGE=filesystem",
  ),
  handMade(
    "ntfs-attribute-of-no-length",
    SIZE,
    ntfs([...le32(0x10), ...le32(0)], name),
    "BLOCK_SIZE=512 | UUID=1122334455667788 | TYPE=ntfs | USAGE=filesystem",
  ),
  handMade(
    "ntfs-name-beyond-record",
    SIZE,
    ntfs(standard, nameBeyond),
    "BLOCK_SIZE=512 | UUID=1122334455667788 | TYPE=ntfs | USAGE=filesystem",
  ),
  handMade("ntfs-table-beyond-end", SIZE, [...ntfs(name), patch(48, le64(2n ** 60n))], "PTTYPE=dos"),
  handMade(
    "fat-without-magic",
    SIZE,
    [patch(0, "\xeb\x3c\x90"), ...fat16, patch(38, [0x29], counting(4), "BOOT LABEL ")],
    "SEC_TYPE=msdos | LABEL_FATBOOT=BOOT\\ LABEL | UUID=0403-0201 | VERSION=FAT12 | BLOCK_SIZE=512 | TYPE=vfat | USAGE=filesystem",
  ),
  handMade("fat-that-is-jfs", SIZE, [patch(0, "\xeb\x3c\x90"), ...fat16, patch(54, "JFS     ")], "PTTYPE=dos"),
  handMade("fat-without-tables", SIZE, [patch(0, "\xeb\x3c\x90"), ...fat16, patch(16, [0])], "PTTYPE=dos"),
  handMade(
    "bitlocker-to-go-on-fat",
    SIZE,
    [
      patch(0, "\xeb\x58\x90MSWIN4.1"),
      ...fat16,
      patch(440, le64(32 * KIB)),
      patch(32 * KIB, "-FVE-FS-", le16(64), le16(2)),
    ],
    "VERSION=2 | TYPE=BitLocker | USAGE=crypto | PTUUID=00008000 | PTTYPE=dos",
  ),
  handMade(
    "exfat",
    SIZE,
    [...exfat(9, 3), patch((512 + 2 * 8) * 512, [0x81, 0], new Uint8Array(30), [0x83, 5], utf16le("label"))],
    "LABEL=label | UUID=0403-0201 | VERSION=1.0 | BLOCK_SIZE=512 | TYPE=exfat | USAGE=filesystem",
  ),
  handMade("exfat-cluster-of-no-bytes", SIZE, exfat(9, 17), "PTTYPE=dos"),
  handMade("exfat-bad-sum", SIZE, [...exfat(9, 3), patch(200, [1])], "PTTYPE=dos"),
  handMade(
    "exfat-beyond-end",
    SIZE,
    exfat(9, 5, 1 << 30),
    "UUID=0403-0201 | VERSION=1.0 | BLOCK_SIZE=512 | TYPE=exfat | USAGE=filesystem",
  ),
  handMade(
    "exfat-second-cluster",
    SIZE,
    [
      ...exfat(9, 0),
      patch(
        (512 + 2) * 512,
        Array.from({ length: 512 }, (_, i) => (i % 32 === 0 ? 0x81 : 0)),
      ),
      patch(128 * 512 + 4 * 4, le32(6)),
      patch((512 + 4) * 512, [0x83, 5], utf16le("later")),
    ],
    "LABEL=later | UUID=0403-0201 | VERSION=1.0 | BLOCK_SIZE=512 | TYPE=exfat | USAGE=filesystem",
  ),
];
