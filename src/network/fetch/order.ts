import type { Fault } from "../../problems/causes/transfer.ts";

/** A file to download. */
export interface DownloadOrder {
  /** URLs of the same file, in the order to try. */
  readonly urls: readonly string[];
  /** Where it goes. */
  readonly path: string;
  /** A longer file is refused. */
  readonly limitBytes: number;
  /** How long to go on without a byte more than before; null: no limit. */
  readonly patienceMs: number | null;
  /** "http://HOST:PORT". */
  readonly proxy: string | null;
  /** NTP servers that set the clock first; none if it may be right. */
  readonly timeServers: readonly string[];
  readonly digest: { readonly algorithm: "sha256" | "sha512"; readonly hex: string } | null;
}

/** Of one URL. */
export interface Failure {
  readonly url: string;
  readonly fault: Fault;
}

/** What the other process reports, several times a second. */
export interface DownloadNews {
  readonly doneBytes: number;
  /** null: unknown. */
  readonly totalBytes: number | null;
  /** What else was done since the last report, in words. */
  readonly notes: readonly string[];
  /** Since the last report. */
  readonly failures: readonly Failure[];
  /** "failed": no URL is left, or the time is up; the last failure of each URL is in `last`. */
  readonly state: "running" | "done" | "failed";
  /** The URL that is being read, before redirects. */
  readonly url: string | null;
  readonly last: readonly Failure[];
}

/** An order is JSON: the file to download or, while that runs, null for the next report. */
export function encodeOrder(order: DownloadOrder | null): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(order));
}

/** Decodes what `encodeOrder` has made. */
export function decodeOrder(bytes: Uint8Array): DownloadOrder | null {
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes)));
}

/** A report as JSON. */
export function encodeNews(news: DownloadNews): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(news));
}

/** Decodes what `encodeNews` has made. */
export function decodeNews(bytes: Uint8Array): DownloadNews {
  return JSON.parse(new TextDecoder().decode(bytes));
}
