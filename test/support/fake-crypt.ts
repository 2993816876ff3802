import { createCipheriv, createDecipheriv } from "node:crypto";
import { type CipherSpec, parseCipher } from "../../src/crypto/cipher.ts";
import { decryptXts } from "../../src/crypto/xts.ts";
import { makeIvs } from "../../src/keys/area-decryptor.ts";

/** How the data of a mapping are encrypted. */
export interface FakeCipher {
  /** As in a table: "aes-xts-plain64". */
  readonly cipher: string;
  readonly key: Uint8Array;
  /** 512-byte sectors added to each sector's number. */
  readonly ivOffset?: number;
  /** 512 where not given. */
  readonly sectorBytes?: number;
}

type Direction = "encrypt" | "decrypt";

/** What dm-crypt shows of `data`, whole sectors; null for a cipher that the fake kernel does not have, or a key that does not fit it. */
export function decryptSectors(how: FakeCipher, data: Uint8Array): Uint8Array | null {
  return crypt("decrypt", how, data);
}

/** What dm-crypt writes for `data`, whole sectors, as content of a fake disk. */
export function encryptSectors(how: FakeCipher, data: Uint8Array): Uint8Array {
  const result = crypt("encrypt", how, data);
  if (result === null) throw new Error(`the fake kernel does not have ${how.cipher}`);
  return result;
}

function crypt(direction: Direction, how: FakeCipher, data: Uint8Array): Uint8Array | null {
  const { cipher, key, sectorBytes = 512 } = how;
  const spec = parseCipher(cipher);
  if (spec === null || spec.cipher !== "aes") return null;
  const aesBytes = spec.mode === "xts" ? key.length / 2 : key.length;
  const ivs = [16, 24, 32].includes(aesBytes) ? sectorIvs(spec, how, data.length / sectorBytes) : null;
  if (ivs === null) return null;
  switch (spec.mode) {
    case "xts":
      return direction === "decrypt"
        ? decryptXts(key, ivs, data, sectorBytes)
        : encryptXts(key, ivs, data, sectorBytes);
    case "cbc":
      return cbc(direction, key, ivs, data, sectorBytes);
    default:
      return null;
  }
}

/** IVs are numbered in sectors of 512 bytes, whatever a sector is. */
function sectorIvs(spec: CipherSpec, { key, ivOffset = 0, sectorBytes = 512 }: FakeCipher, count: number) {
  const step = sectorBytes / 512;
  const all = makeIvs(spec, key, ivOffset + count * step);
  if (all === null) return null;
  const ivs = new Uint8Array(count * 16);
  for (let sector = 0; sector < count; sector++) {
    const at = (ivOffset + sector * step) * 16;
    ivs.set(all.subarray(at, at + 16), sector * 16);
  }
  return ivs;
}

function cbc(
  direction: Direction,
  key: Uint8Array,
  ivs: Uint8Array,
  data: Uint8Array,
  sectorBytes: number,
): Uint8Array {
  const make = direction === "encrypt" ? createCipheriv : createDecipheriv;
  const result = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += sectorBytes) {
    const iv = ivs.subarray((at / sectorBytes) * 16, (at / sectorBytes + 1) * 16);
    const cipher = make(`aes-${key.length * 8}-cbc`, key, iv).setAutoPadding(false);
    result.set(cipher.update(data.subarray(at, at + sectorBytes)), at);
  }
  return result;
}

/** IEEE 1619-2007, 5.3.2. */
function encryptXts(key: Uint8Array, tweaks: Uint8Array, data: Uint8Array, sectorBytes: number): Uint8Array {
  const half = key.length / 2;
  const ecb = (part: Uint8Array, blocks: Uint8Array) =>
    new Uint8Array(
      createCipheriv(`aes-${half * 8}-ecb`, part, null)
        .setAutoPadding(false)
        .update(blocks),
    );
  const masks = xtsMasks(ecb(key.subarray(half), tweaks), sectorBytes);
  return xor(ecb(key.subarray(0, half), xor(data, masks)), masks);
}

/** What is added to each block before and after its encryption: the tweak of its sector times α for each block before it. */
function xtsMasks(tweaks: Uint8Array, sectorBytes: number): Uint32Array {
  const starts = new Uint32Array(tweaks.buffer);
  const words = sectorBytes / 4;
  const masks = new Uint32Array((starts.length / 4) * words);
  for (let at = 0; at < masks.length; at++) {
    const word = at % 4;
    if (at % words < 4) masks[at] = starts[Math.floor(at / words) * 4 + word] ?? 0;
    else masks[at] = ((masks[at - 4] ?? 0) << 1) ^ carryInto(word, masks[at - 5 + (word === 0 ? 4 : 0)] ?? 0);
  }
  return masks;
}

/** The bit that leaves the word before; what leaves the last one comes back as α^7 + α^2 + α + 1. */
function carryInto(word: number, before: number): number {
  const carry = before >>> 31;
  return word === 0 ? carry * 0x87 : carry;
}

function xor(bytes: Uint8Array, masks: Uint32Array): Uint8Array {
  const result = new Uint8Array(bytes);
  const words = new Uint32Array(result.buffer);
  for (let at = 0; at < words.length; at++) words[at] = (words[at] ?? 0) ^ (masks[at] ?? 0);
  return result;
}
