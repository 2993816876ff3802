import { decodeLatin1, le32 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";

/** The program that wrote a hibernation image; only the kernel's own can be resumed through /sys/power/resume. */
export type ImageMaker = "kernel" | "uswsusp" | "TuxOnIce" | "Software Suspend 2";

/** The memory of a hibernated system in swap space. */
export interface HibernationImage {
  readonly maker: ImageMaker;
  /** Where its signature is, in bytes from the start of the device. */
  readonly at: number;
  readonly signature: Uint8Array;
  /** The signature of the swap space, which the image keeps beside its own; null if it keeps none. */
  readonly swapSignature: Uint8Array | null;
  /** True if the kernel needs its lz4 module to read it. */
  readonly isLz4: boolean;
}

/** struct swsusp_header of kernel/power/swap.c ends with flags, orig_sig[10] and sig[10]; that of uswsusp has the same end. */
const SIGNATURE_BYTES = 10;
const FLAGS_FROM_END = 24;
/** SF_COMPRESSION_ALG_LZ4, since Linux 6.9. */
const FLAG_LZ4 = 16;

const MAKERS: Readonly<Record<string, ImageMaker>> = {
  "S1SUSPEND\0": "kernel",
  "S2SUSPEND\0": "Software Suspend 2",
  "ULSUSPEND\0": "uswsusp",
  LINHIB0001: "uswsusp",
};
const TUX_ON_ICE = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c";
const SWAP_SIGNATURES = ["SWAPSPACE2", "SWAP-SPACE"];

/** Reads the header of a hibernation image at `offsetPages` of a device, as resume_offset= counts: of a swap file, its first page. Returns null if there is none. */
export function readHibernationImage(
  source: ByteSource,
  { offsetPages, pageBytes }: { readonly offsetPages: number; readonly pageBytes: number },
): HibernationImage | null {
  const start = offsetPages * pageBytes;
  const page = source.read(start, pageBytes);
  if (page.length < pageBytes) return null;
  if (decodeLatin1(page.subarray(0, TUX_ON_ICE.length)) === TUX_ON_ICE) {
    const signature = page.slice(0, SIGNATURE_BYTES);
    return { maker: "TuxOnIce", at: start, signature, swapSignature: null, isLz4: false };
  }
  const signature = page.slice(pageBytes - SIGNATURE_BYTES);
  const maker = MAKERS[decodeLatin1(signature)];
  if (maker === undefined) return null;
  const before = page.slice(pageBytes - 2 * SIGNATURE_BYTES, pageBytes - SIGNATURE_BYTES);
  return {
    maker,
    at: start + pageBytes - SIGNATURE_BYTES,
    signature,
    swapSignature: SWAP_SIGNATURES.includes(decodeLatin1(before)) ? before : null,
    isLz4: maker === "kernel" && (le32(page, pageBytes - FLAGS_FROM_END) & FLAG_LZ4) !== 0,
  };
}
