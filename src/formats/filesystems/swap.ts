import { be32, holds, isEmpty, le32 } from "../bytes.ts";
import { at, header, label, other, uuid, version, when } from "../layout.ts";
import type { Magic } from "../signature.ts";

// The signature is at the end of the first page, whose size is unknown (4, 8, 16, 32 or 64 KiB).
const PAGE_ENDS = [0x1000, 0x2000, 0x4000, 0x8000, 0x10000];
const SIZE = { minSize: 10 * 4096 };
const TUX_ON_ICE = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c";
const HEAD_BYTES = 1536;

function atPageEnds(...texts: readonly string[]): readonly Magic[] {
  return PAGE_ENDS.flatMap((end) => at(end - 10, ...texts));
}

/** union swap_header (linux/swap.h), always 1 KiB from the start. Older mkswap left garbage in label and UUID: the bytes after them are not zero then. */
const names = when((head) => isEmpty(head.subarray(1196, 1204)), label(1052, 16), uuid(1036));

function isSwap(head: Uint8Array, { text }: Magic): boolean {
  const isKnown = le32(head, 1024) === 1 || be32(head, 1024) === 1;
  return !holds(head, 0, TUX_ON_ICE) && (text === "SWAP-SPACE" || (isKnown && le32(head, 1028) !== 0));
}

/** Swap space, and swap space with the memory of a hibernated machine. */
export const SWAP = [
  other(
    "swsuspend",
    [...at(0, TUX_ON_ICE), ...atPageEnds("S1SUSPEND", "S2SUSPEND", "ULSUSPEND", "LINHIB0001")],
    header(0, HEAD_BYTES),
    [names, version((_head, { text }) => (text === TUX_ON_ICE ? "tuxonice" : text.toLowerCase()))],
    SIZE,
  ),
  other(
    "swap",
    atPageEnds("SWAP-SPACE", "SWAPSPACE2"),
    header(0, HEAD_BYTES, isSwap),
    [
      when((_head, { text }) => text === "SWAPSPACE2", names),
      version((_head, { text }) => (text === "SWAPSPACE2" ? 1 : 0)),
    ],
    SIZE,
  ),
];
