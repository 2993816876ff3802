import { findHash } from "../../crypto/hash.ts";
import { runtimeCrypto } from "../../crypto/runtime-crypto.ts";
import { equalSecrets } from "../../crypto/secret.ts";
import { BootError } from "../../problems/errors.ts";
import { be16, be64, holds } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";
import { requireUuid } from "./uuid.ts";

/** One of the two copies of a LUKS2 header. Its checksum is right; its JSON text is not checked yet. */
export interface Luks2Copy {
  /** Bytes of binary header and JSON area, and the offset of the second copy. */
  readonly headerBytes: number;
  readonly epoch: bigint;
  readonly label: string;
  readonly subsystem: string;
  readonly uuid: string;
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
  const blank = Uint8Array.from(binary).fill(0, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const computed = runtimeCrypto().createHash(hash.name).update(blank).update(json).digest();
  if (!equalSecrets(computed, stored)) throw new BootError("its checksum is wrong");
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length - 1);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
