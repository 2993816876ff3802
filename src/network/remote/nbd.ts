import {
  encodeGo,
  GREETING_BYTES,
  parseExportInfo,
  parseGreeting,
  parseReplyHead,
  REPLY_BYTES,
  type ReplyHead,
} from "../../formats/network/nbd.ts";
import { decodeText } from "../../formats/text.ts";
import type { NbdRequest, TcpSocket } from "../../machine/network/remote.ts";
import type { NbdRefusal } from "../../problems/diagnoses/network/remote.ts";
import { SyscallError } from "../../problems/errors.ts";

/** An export that a server has agreed to, or why it has not. */
export type Negotiated =
  | ({ readonly kind: "export" } & Omit<NbdRequest, "device">)
  | { readonly kind: "refused"; readonly refusal: NbdRefusal /** The server's own words. */; readonly words: string };

/** The errors of doc/proto.md, by their numbers. */
const ERRORS: Readonly<Record<number, NbdRefusal>> = {
  1: "too-old",
  2: "policy",
  5: "tls",
  6: "unknown-export",
  7: "shutdown",
  8: "block-size",
};
/** A server says a few things about an export, and no more. */
const MOST_REPLIES = 32;
/** Longer than any name or message of the protocol. */
const MOST_REPLY_BYTES = 64 << 10;
const MOST_WORDS = 200;
/** PAGE_SIZE: the driver accepts no larger blocks. */
const MOST_BLOCK_BYTES = 4096;
const LEAST_BLOCK_BYTES = 512;

/** An answer on the same network comes within it; the boot goes on while one is slower. */
const BRIEF_MS = 5;

/** Agrees with an NBD server on an export; yields while no answer has come. Throws SyscallError if the connection fails or ends. */
export function* negotiate(socket: TcpSocket, name: string): Generator<void, Negotiated> {
  const greeting = parseGreeting(yield* readAll(socket, GREETING_BYTES));
  if (greeting !== "newstyle") return refused(greeting === "old" ? "too-old" : "no-nbd");
  socket.send(encodeGo(name));
  const known: Known = { size: null, blockBytes: LEAST_BLOCK_BYTES };
  for (let count = 0; count < MOST_REPLIES; count++) {
    const head = parseReplyHead(yield* readAll(socket, REPLY_BYTES));
    if (head === null || head.length > MOST_REPLY_BYTES) return refused("malformed");
    const result = takeReply(known, head, yield* readAll(socket, head.length));
    if (result !== null) return result;
  }
  return refused("malformed");
}

/** What the server has said about the export so far. */
interface Known {
  size: { readonly sizeBytes: bigint; readonly flags: number } | null;
  blockBytes: number;
}

/** Adds to `known` what a reply says; returns the result if it is the last. */
function takeReply(known: Known, { kind, error }: ReplyHead, data: Uint8Array): Negotiated | null {
  if (kind === "error") return refused(ERRORS[error] ?? "other", data);
  if (kind === "ack") return known.size === null ? refused("malformed") : accept(known.size, known.blockBytes);
  const info = kind === "info" ? parseExportInfo(data) : null;
  if (info?.kind === "size") known.size = info;
  if (info?.kind === "blocks") known.blockBytes = Math.max(LEAST_BLOCK_BYTES, info.leastBytes);
  return null;
}

function accept({ sizeBytes, flags }: { sizeBytes: bigint; flags: number }, blockBytes: number): Negotiated {
  const isPower = (blockBytes & (blockBytes - 1)) === 0;
  if (!isPower || blockBytes > MOST_BLOCK_BYTES) return refused("block-size");
  // The driver counts blocks.
  const size = sizeBytes - (sizeBytes % BigInt(blockBytes));
  if (size === 0n) return refused("empty");
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return refused("malformed");
  return { kind: "export", sizeBytes: Number(size), blockBytes, flags };
}

function refused(refusal: NbdRefusal, words: Uint8Array = new Uint8Array()): Negotiated {
  return { kind: "refused", refusal, words: decodeText(words.subarray(0, MOST_WORDS)).trim() };
}

/** Reads exactly `length` bytes: what follows the negotiation is for the kernel. */
function* readAll(socket: TcpSocket, length: number): Generator<void, Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const part = socket.receive(length - at, BRIEF_MS);
    if (part?.length === 0) throw new SyscallError("recvfrom", "ECONNRESET", "NBD");
    bytes.set(part ?? [], at);
    at += part?.length ?? 0;
    // Also after a part: a server may send one byte after the other.
    if (at < length) yield;
  }
  return bytes;
}
