import type { HttpReply } from "../../machine/network/http.ts";
import { TransferError } from "./fault.ts";

/** The file as far as it was received, if the rest can be asked for. */
export interface Partial {
  readonly bytes: number;
  readonly totalBytes: number | null;
  /** A strong ETag or else the date of the last change: both must be the same for the rest. */
  readonly validator: string;
}

/** What the body of an answer is: from `offset` of the file on; a whole file is 0. */
export interface Body {
  readonly offset: number;
  /** Of the whole file; null if the server does not say. */
  readonly totalBytes: number | null;
  /** null: the rest could not be asked for after a cut. */
  readonly validator: string | null;
}

/** Characters of a header in a message. */
const MOST_SHOWN = 80;

/** Returns the headers that ask for the rest of a file, and for all of it if it has changed (RFC 9110, 13.1.5). */
export function rangeHeaders(partial: Partial | null): Readonly<Record<string, string>> {
  return partial === null ? {} : { range: `bytes=${partial.bytes}-`, "if-range": partial.validator };
}

/** Decides what the body of an answer is. Throws TransferError for an answer without the file. */
export function readReply({ status, header }: Pick<HttpReply, "status" | "header">, partial: Partial | null): Body {
  if (status !== 200 && status !== 206 && !(status === 416 && partial !== null)) {
    throw new TransferError({ kind: "status", status });
  }
  const encoding = header("content-encoding");
  if (encoding !== null && !/^identity$/i.test(encoding.trim()))
    throw new TransferError({ kind: "encoded", encoding: encoding.slice(0, MOST_SHOWN) });
  const validator = readValidator(header);
  // The answer 200 to a request for a part: the file has changed, or the server has no parts.
  if (status === 200) return { offset: 0, totalBytes: readNumber(header("content-length")), validator };
  const text = header("content-range") ?? "";
  const range = readRange(text);
  const isSame = validator === null || validator === partial?.validator;
  if (partial === null || !isSame || !isRest(status, range, partial)) {
    throw new TransferError({ kind: "range", range: text.slice(0, MOST_SHOWN) });
  }
  return { offset: partial.bytes, totalBytes: range.total, validator: partial.validator };
}

/** RFC 9110, 14.4: "bytes FIRST-LAST/TOTAL"; what is missing or "*" is null. */
interface Range {
  readonly first: number | null;
  readonly last: number | null;
  readonly total: number | null;
}

function readRange(text: string): Range {
  const [, first, last, total] = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(text.trim()) ?? [];
  return { first: readNumber(first), last: readNumber(last), total: readNumber(total) };
}

/** True if a part is exactly what is missing. */
function isRest(status: number, { first, last, total }: Range, { bytes, totalBytes }: Partial): boolean {
  const isLength = totalBytes === null || total === totalBytes;
  // RFC 9110, 15.5.17: nothing is missing, if the file has this length.
  if (status === 416) return isLength && total === bytes;
  return status === 206 && first === bytes && isLength && (total === null || (total > bytes && last === total - 1));
}

function readValidator(header: HttpReply["header"]): string | null {
  const etag = header("etag")?.trim() ?? "";
  if (/^"[!#-~]*"$/.test(etag)) return etag; // not W/"…": a weak one says nothing of the bytes
  const changed = header("last-modified")?.trim() ?? "";
  return /^[A-Z][a-z]{2}, [\d A-Za-z:]{10,30}$/.test(changed) ? changed : null;
}

function readNumber(text: string | null | undefined): number | null {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Returns the header Location of a redirect; null if the answer is none. */
export function readLocation({ status, header }: Pick<HttpReply, "status" | "header">): string | null {
  return REDIRECTS.has(status) ? (header("location") ?? "") : null;
}
