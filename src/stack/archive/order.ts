import type { ImageDigest } from "../../parameters/checks.ts";
import type { ArchiveFault } from "../../problems/causes/archive.ts";

/** An archive to unpack. */
export interface UnpackOrder {
  /** From the initramfs. */
  readonly archive: string;
  /** An empty directory. */
  readonly target: string;
  /** What unpacks to more is refused. */
  readonly limitBytes: number;
  /** Of the archive as it is; null: it was compared before, or nothing is known. */
  readonly digest: ImageDigest | null;
}

/** What the other process reports, several times a second. */
export interface UnpackNews {
  /** Of the archive. */
  readonly doneBytes: number;
  /** What was unpacked. */
  readonly entries: number;
  readonly unpackedBytes: number;
  /** Names of extended attributes that the filesystem does not keep. */
  readonly lost: readonly string[];
  readonly state: "running" | "done" | ArchiveFault;
}

/** An order is JSON: the archive to unpack or, while that runs, null for the next report. */
export function encodeOrder(order: UnpackOrder | null): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(order));
}

/** Decodes what `encodeOrder` has made. */
export function decodeOrder(bytes: Uint8Array): UnpackOrder | null {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

/** A report as JSON. */
export function encodeNews(news: UnpackNews): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(news));
}

/** Decodes what `encodeNews` has made. */
export function decodeNews(bytes: Uint8Array): UnpackNews {
  return JSON.parse(new TextDecoder().decode(bytes));
}
