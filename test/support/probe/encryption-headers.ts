import { rawCrc32c } from "../../../src/formats/checksums.ts";
import { type HandMade, handMade, KIB, MIB } from "./header.ts";
import { be64, counting, latin1, le16, le32, le64, type Patch, patch } from "./sparse-source.ts";

const SIZE = 64 * MIB;

const metadata = patch(32 * KIB, "-FVE-FS-", le16(64), le16(2));
const win7 = [patch(0, "\xeb\x58\x90-FVE-FS-"), patch(67, le32(42)), patch(176, le64(32 * KIB)), metadata];
const utf16le = (text: string) => [...text].flatMap((letter) => le16(letter.charCodeAt(0)));

/** An entry of BitLocker's metadata: type 7 with value 2 is the description. */
function entry(type: number, value: number, data: readonly number[]): readonly number[] {
  return [...le16(8 + data.length), ...le16(type), ...le16(value), ...le16(1), ...data];
}

/** BitLocker with an identifier and these entries. */
function bitlocker(...entries: readonly (readonly number[])[]): readonly Patch[] {
  const all = entries.flat();
  return [
    ...win7,
    patch(32 * KIB + 64, le32(48 + all.length)),
    patch(32 * KIB + 80, counting(16), new Uint8Array(16), all),
  ];
}

/** A physical volume of Core Storage with a FileVault key, and its checksum. */
function coreStorage(): Patch {
  const sb = new Uint8Array(512);
  sb.set([...le32(0), ...le32(0xffffffff), ...le16(1), ...le16(0x10)]);
  sb.set([...latin1("CS"), ...le32(1)], 88);
  sb.set([...le32(16), ...le32(2)], 168);
  sb.set(counting(16), 304);
  sb.set(le32(rawCrc32c(sb.subarray(8))), 0);
  return { at: 0, bytes: sb };
}

/** The second header of LUKS2 at 16 KiB, written for `place`. */
function secondLuks(place: number): readonly Patch[] {
  return [
    patch(0x4000, "SKUL\xba\xbe", [0, 2]),
    patch(0x4000 + 168, "01234567-89ab"),
    patch(0x4000 + 256, be64(place)),
  ];
}

/** Encrypted containers. */
export const ENCRYPTION_HEADERS: readonly HandMade[] = [
  handMade("dm-verity-version-2", SIZE, [patch(0, "verity\0\0", le32(2))], ""),
  handMade("dm-integrity", SIZE, [patch(0, "integrt\0", [4])], "VERSION=4 | TYPE=DM_integrity | USAGE=crypto"),
  handMade("bitlocker-vista", SIZE, [patch(0, "\xeb\x52\x90-FVE-FS-")], "TYPE=BitLocker | USAGE=crypto"),
  handMade("bitlocker-7", SIZE, win7, "VERSION=2 | TYPE=BitLocker | USAGE=crypto"),
  handMade(
    "bitlocker-described",
    SIZE,
    bitlocker(entry(2, 8, counting(12)), entry(7, 2, utf16le("PC \u00e4 C: 2026\0"))),
    "VERSION=2 | LABEL=PC\\ M-CM-\\$\\ C:\\ 2026 | UUID=04030201-0605-0807-090a-0b0c0d0e0f10 | TYPE=BitLocker | USAGE=crypto",
  ),
  handMade("bitlocker-entry-of-no-bytes", SIZE, bitlocker(le32(0), entry(7, 2, utf16le("never"))), ""),
  handMade("bitlocker-unaligned", SIZE, [...win7, patch(176, le64(32 * KIB + 8)), patch(32 * KIB + 8, "-FVE-FS-")], ""),
  handMade(
    "core-storage",
    SIZE,
    [coreStorage()],
    "VERSION=1 | UUID=01020304-0506-0708-090a-0b0c0d0e0f10 | TYPE=cs_fvault2 | USAGE=crypto",
  ),
  handMade("core-storage-bad-sum", SIZE, [coreStorage(), patch(304, [9])], ""),
  handMade(
    "luks-second-header-and-swap",
    SIZE,
    [...secondLuks(0x4000), patch(4086, "SWAP-SPACE")],
    "VERSION=0 | TYPE=swap | USAGE=other",
  ),
  handMade(
    "bitlocker-to-go",
    SIZE,
    [patch(0, "\xeb\x58\x90MSWIN4.1"), patch(440, le64(32 * KIB)), metadata],
    "VERSION=2 | TYPE=BitLocker | USAGE=crypto",
  ),
  handMade("luks-version-3", SIZE, [patch(0, "LUKS\xba\xbe", [0, 3])], "VERSION=3 | TYPE=crypto_LUKS | USAGE=crypto"),
];
