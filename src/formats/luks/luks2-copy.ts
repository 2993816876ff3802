import { findHash } from "../../crypto/hash.ts";
import { equalSecrets, runtimeCrypto } from "../../crypto/secret.ts";
import { BootError } from "../../problems/errors.ts";
import { be16, be64, holds, isEmpty } from "../bytes.ts";
import { blanked } from "../checksums.ts";
import type { ByteSource } from "../facts.ts";
import { untilNul } from "../tags.ts";
import { type LuksHeader, requireUuid } from "./header.ts";

/** One of the two copies of a LUKS2 header. Its checksum is right; its JSON text is not checked yet. */
export interface Luks2Copy extends Pick<LuksHeader, "label" | "subsystem" | "uuid"> {
  /** Bytes of binary header and JSON area, and the offset of the second copy. */
  readonly headerBytes: number;
  readonly epoch: bigint;
  readonly json: Uint8Array;
}

/** Possible sizes of a copy (LUKS2 On-Disk Format Specification, 2.2), so also the possible offsets of the second. */
export const COPY_SIZES: readonly number[] = Array.from({ length: 9 }, (_, index) => 0x4000 << index);
/** Bytes of the binary header; the JSON area follows. */
export const BINARY_BYTES = 4096;
/** The message of `readCopy` if nothing looks like a header. */
export const NO_HEADER = "there is no header";

const MAGIC = { first: "LUKS\xba\xbe", second: "SKUL\xba\xbe" };
const CHECKSUM_AT = 448;
const CHECKSUM_BYTES = 64;

/** Reads the copy at `offset` (LUKS2 On-Disk Format Specification, 2.1), each of its two parts in one read. Throws BootError if it is damaged or missing. */
export function readCopy(source: ByteSource, offset: number): Luks2Copy {
  const binary = Uint8Array.from(source.read(offset, BINARY_BYTES));
  if (binary.length < BINARY_BYTES || !holds(binary, 0, offset === 0 ? MAGIC.first : MAGIC.second))
    throw new BootError(NO_HEADER);
  if (be16(binary, 6) !== 2) throw new BootError(`its version is ${be16(binary, 6)}`);
  if (be64(binary, 256) !== BigInt(offset)) throw new BootError("it was written for another offset");
  const headerBytes = Number(be64(binary, 8));
  if (!COPY_SIZES.includes(headerBytes)) throw new BootError(`its size of ${headerBytes} bytes is not valid for LUKS2`);
  if (offset !== 0 && offset !== headerBytes) throw new BootError("its size does not match its offset");
  const jsonBytes = headerBytes - BINARY_BYTES;
  const json = Uint8Array.from(source.read(offset + BINARY_BYTES, jsonBytes));
  if (json.length !== jsonBytes) throw new BootError("it reaches beyond the end of the device");
  checkSum(binary, json);
  return {
    headerBytes,
    epoch: be64(binary, 16),
    label: readText(binary, 24, 48),
    subsystem: readText(binary, 208, 48),
    uuid: requireUuid(readText(binary, 168, 40)),
    json,
  };
}

function checkSum(binary: Uint8Array, json: Uint8Array): void {
  const name = readText(binary, 72, 32);
  const hash = findHash(name);
  if (hash === null) throw new BootError(`its checksum has an unknown type, "${name}"`);
  const stored = binary.slice(CHECKSUM_AT, CHECKSUM_AT + hash.bytes);
  const blank = blanked(binary, CHECKSUM_AT, CHECKSUM_BYTES);
  const computed = runtimeCrypto().createHash(hash.name).update(blank).update(json).digest();
  if (!equalSecrets(computed, stored)) throw new BootError("its checksum is wrong");
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(untilNul(bytes.subarray(at, at + length - 1)));
}

// The limit of json-c; and more values than any header that is not crafted to fill memory.
const MAX_DEPTH = 32;
const MAX_VALUES = 40_000;
const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const OPENING_BRACE = 0x7b;
const OPENING = [0x5b, OPENING_BRACE];
const CLOSING = [0x5d, 0x7d];

/**
 * Parses a JSON area: one object from its first byte on, ended by a zero byte, with only zero bytes after it (LUKS2 On-Disk Format
 * Specification, 3.1). Throws BootError for anything else, and for a text that is nested too deeply or has too many values.
 */
export function readJsonArea(area: Uint8Array): unknown {
  const end = area.indexOf(0);
  if (end < 0) throw new BootError("its JSON text has no end");
  if (!isEmpty(area.subarray(end))) throw new BootError("its JSON text is followed by other bytes");
  const bytes = area.subarray(0, end);
  if (bytes[0] !== OPENING_BRACE) throw new BootError("its JSON text is not one object");
  checkSize(bytes);
  try {
    // Strings of a token may contain any bytes, and cryptsetup accepts them: fields that are used are ASCII, and checked.
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new BootError("its JSON text is damaged");
  }
}

/** Checks the text before it is parsed, because a parser makes many objects of few bytes. Without regular expressions, which a crafted text could stall. */
function checkSize(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (OPENING.includes(byte)) depth += 1;
    else if (CLOSING.includes(byte)) depth -= 1;
    else if (byte !== COMMA) continue;
    values += 1;
    if (depth > MAX_DEPTH) throw new BootError(`its JSON text is nested more than ${MAX_DEPTH} deep`);
    if (values > MAX_VALUES) throw new BootError(`its JSON text has more than ${MAX_VALUES} values`);
  }
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
