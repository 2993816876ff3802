/* The messages of fixed newstyle negotiation (doc/proto.md of NBD), in network byte order. */

const NBDMAGIC = 0x4e42444d41474943n;
const IHAVEOPT = 0x49484156454f5054n;
/** What follows NBDMAGIC in the old protocol, which knows no names. */
const OLDSTYLE = 0x00420281861253n;
const REPLY_MAGIC = 0x3e889045565a9n;
const NBD_OPT_GO = 7;
const NBD_FLAG_FIXED_NEWSTYLE = 1;
const NBD_FLAG_NO_ZEROES = 2;
const NBD_REP_ACK = 1;
const NBD_REP_INFO = 3;
const NBD_INFO_EXPORT = 0;
const NBD_INFO_BLOCK_SIZE = 3;

/** The magic numbers and the flags that a server sends first. */
export const GREETING_BYTES = 18;
/** What stands before the data of each reply. */
export const REPLY_BYTES = 20;

/** What a server is, by its greeting: "old" for one that negotiates in another way, "other" if it speaks another protocol. */
export function parseGreeting(bytes: Uint8Array): "newstyle" | "old" | "other" {
  const view = viewOf(bytes);
  if (bytes.length < GREETING_BYTES || view.getBigUint64(0) !== NBDMAGIC) return "other";
  const second = view.getBigUint64(8);
  if (second !== IHAVEOPT) return second === OLDSTYLE ? "old" : "other";
  return (view.getUint16(16) & NBD_FLAG_FIXED_NEWSTYLE) === 0 ? "old" : "newstyle";
}

/** Returns the client's flags, and the request for an export with its size and its block sizes. */
export function encodeGo(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(4 + 16 + 4 + text.length + 2 + 2);
  const view = viewOf(bytes);
  view.setUint32(0, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
  view.setBigUint64(4, IHAVEOPT);
  view.setUint32(12, NBD_OPT_GO);
  view.setUint32(16, bytes.length - 20);
  view.setUint32(20, text.length);
  bytes.set(text, 24);
  view.setUint16(24 + text.length, 1);
  view.setUint16(26 + text.length, NBD_INFO_BLOCK_SIZE);
  return bytes;
}

/** What a reply says; `length` bytes of data follow it. "error" has the number without its highest bit. */
export interface ReplyHead {
  readonly kind: "ack" | "info" | "error" | "other";
  readonly error: number;
  readonly length: number;
}

/** Parses the head of a reply to `encodeGo`; null for anything else. */
export function parseReplyHead(bytes: Uint8Array): ReplyHead | null {
  const view = viewOf(bytes);
  if (bytes.length < REPLY_BYTES || view.getBigUint64(0) !== REPLY_MAGIC || view.getUint32(8) !== NBD_OPT_GO)
    return null;
  const type = view.getUint32(12);
  const length = view.getUint32(16);
  if (type >= 2 ** 31) return { kind: "error", error: type - 2 ** 31, length };
  const kinds: Readonly<Record<number, ReplyHead["kind"]>> = { [NBD_REP_ACK]: "ack", [NBD_REP_INFO]: "info" };
  return { kind: kinds[type] ?? "other", error: 0, length };
}

/** An information about an export. */
export type ExportInfo =
  | { readonly kind: "size"; readonly sizeBytes: bigint /** The transmission flags. */; readonly flags: number }
  | { readonly kind: "blocks"; readonly leastBytes: number };

/** Parses the data of an "info" reply; null for one that is not known or too short. */
export function parseExportInfo(data: Uint8Array): ExportInfo | null {
  const view = viewOf(data);
  const type = data.length >= 2 ? view.getUint16(0) : -1;
  if (type === NBD_INFO_EXPORT && data.length >= 12)
    return { kind: "size", sizeBytes: view.getBigUint64(2), flags: view.getUint16(10) };
  if (type === NBD_INFO_BLOCK_SIZE && data.length >= 14) return { kind: "blocks", leastBytes: view.getUint32(2) };
  return null;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
