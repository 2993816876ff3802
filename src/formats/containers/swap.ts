import type { Area } from "../area.ts";
import { be32, holds, isEmpty, le32 } from "../bytes.ts";
import type { Magic, Signature } from "../signature.ts";
import { addLabel, addUuid, addVersion, type Tags } from "../tags.ts";

// The signature ends the first page; which page size wrote it is not known (4, 8, 16, 32 or 64 KiB).
const PAGE_ENDS = [0x1000, 0x2000, 0x4000, 0x8000, 0x10000];
const MIN_SIZE = 10 * 4096;
const TUX_ON_ICE = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c";
const SUSPENDED: Readonly<Record<string, string>> = {
  [TUX_ON_ICE]: "tuxonice",
  S1SUSPEND: "s1suspend",
  S2SUSPEND: "s2suspend",
  ULSUSPEND: "ulsuspend",
  LINHIB0001: "linhib0001",
};

function atPageEnds(...texts: readonly string[]): readonly Magic[] {
  return PAGE_ENDS.flatMap((end) => texts.map((text) => ({ text, at: end - 10 })));
}

/** union swap_header (linux/swap.h), always 1 KiB from the start. */
function readHeader(area: Area, tags: Tags, version: string): boolean {
  const header = area.bytes(1024, 512);
  if (header === null) {
    return false;
  }
  if (version === "1" && ((le32(header, 0) !== 1 && be32(header, 0) !== 1) || le32(header, 4) === 0)) {
    return false;
  }
  // Older mkswap left garbage where label and UUID are now; the zeros behind tell.
  if (isEmpty(header.subarray(172, 180))) {
    addLabel(tags, header.subarray(28, 44));
    addUuid(tags, header.subarray(12, 28));
  }
  addVersion(tags, version);
  return true;
}

/** Swap space. */
export const swap: Signature = {
  type: "swap",
  usage: "other",
  minSize: MIN_SIZE,
  magics: atPageEnds("SWAP-SPACE", "SWAPSPACE2"),
  read(area, tags, magic) {
    const head = area.bytes(0, 8);
    if (head === null || holds(head, 0, TUX_ON_ICE)) {
      return false;
    }
    if (magic?.text === "SWAP-SPACE") {
      addVersion(tags, "0");
      return true;
    }
    return readHeader(area, tags, "1");
  },
};

/** Swap space that holds the memory of a machine that was put to sleep. */
export const swsuspend: Signature = {
  type: "swsuspend",
  usage: "other",
  minSize: MIN_SIZE,
  magics: [{ text: TUX_ON_ICE, at: 0 }, ...atPageEnds("S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001")],
  read: (area, tags, magic) => readHeader(area, tags, SUSPENDED[magic?.text ?? ""] ?? ""),
};
