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

/** IEEE 1619-2007, 5.3.2: block by block, as the standard writes it. */
function encryptXts(key: Uint8Array, tweaks: Uint8Array, data: Uint8Array, sectorBytes: number): Uint8Array {
  const half = key.length / 2;
  const ecb = (part: Uint8Array, blocks: Uint8Array) =>
    createCipheriv(`aes-${half * 8}-ecb`, part, null)
      .setAutoPadding(false)
      .update(blocks);
  const masks = new Uint8Array(data.length);
  const starts = ecb(key.subarray(half), tweaks);
  for (let at = 0; at < data.length; at += 16) {
    const isFirst = at % sectorBytes === 0;
    const sector = Math.floor(at / sectorBytes);
    const mask = isFirst ? starts.subarray(sector * 16, sector * 16 + 16) : timesAlpha(masks.subarray(at - 16, at));
    masks.set(mask, at);
  }
  const mask = (block: Uint8Array) => block.map((byte, at) => byte ^ (masks[at] ?? 0));
  return mask(new Uint8Array(ecb(key.subarray(0, half), mask(data))));
}

function timesAlpha(block: Uint8Array): Uint8Array {
  const number = block.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 1n;
  const reduced = number >> 128n === 1n ? (number ^ 0x87n) & ((1n << 128n) - 1n) : number;
  return Uint8Array.from({ length: 16 }, (_, at) => Number((reduced >> BigInt(8 * at)) & 0xffn));
}
