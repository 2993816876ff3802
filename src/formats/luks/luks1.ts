import { ALGORITHM_TEXT } from "../../crypto/cipher.ts";
import { BootError } from "../../problems/errors.ts";
import { be16, be32, holds } from "../bytes.ts";
import { untilNul } from "../tags.ts";
import {
  checkApart,
  type LuksHeader,
  MAX_KEY_BYTES,
  requireUuid,
  SECTOR_BYTES,
  STRIPES,
  splitBytes,
} from "./header.ts";

/** Bytes of a LUKS1 header, without key material. */
export const LUKS1_BYTES = 592;

const KEYSLOTS = 8;
const KEYSLOT_BYTES = 48;
const ACTIVE = 0x00ac71f3;
const INACTIVE = 0x0000dead;

/**
 * Reads a LUKS1 header (LUKS1 On-Disk Format Specification 1.2.3, figures 1 and 2) from its first 592 bytes, without the key
 * material. `deviceBytes` is the size of its device. Throws BootError where libcryptsetup refuses it too.
 */
export function readLuks1(bytes: Uint8Array, deviceBytes: number): Omit<LuksHeader, "material"> {
  if (bytes.length < LUKS1_BYTES || !holds(bytes, 0, "LUKS\xba\xbe") || be16(bytes, 6) !== 1) {
    throw new BootError("not a LUKS1 header");
  }
  const cipher = [readText(bytes, 8, 32), readText(bytes, 40, 32)].filter((part) => part !== "").join("-");
  const hash = readText(bytes, 72, 32);
  const keyBytes = be32(bytes, 108);
  if (!ALGORITHM_TEXT.test(cipher)) throw new BootError(`its cipher "${cipher}" is not valid`);
  if (!ALGORITHM_TEXT.test(hash)) throw new BootError(`its hash "${hash}" is not valid`);
  if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES) throw new BootError(`its key size of ${keyBytes} bytes is not valid`);
  const payloadOffset = be32(bytes, 104) * SECTOR_BYTES;
  const slots = Array.from({ length: KEYSLOTS }, (_, id) => readKeyslot(bytes, id, { cipher, hash, keyBytes }));
  const all = slots.map(({ keyslot }) => keyslot);
  checkAreas(all, payloadOffset, deviceBytes);
  const keyslots = all.filter((_, id) => slots[id]?.active);
  const kdf = { type: "pbkdf2", hash, iterations: be32(bytes, 164), salt: bytes.slice(132, 164) } as const;
  return {
    version: 1,
    uuid: requireUuid(readText(bytes, 168, 40)),
    label: "",
    subsystem: "",
    epoch: null,
    keyslots,
    digests: [
      { id: 0, keyslots: keyslots.map(({ id }) => id), segments: [0], check: { kdf, value: bytes.slice(112, 132) } },
    ],
    segments: [
      {
        id: 0,
        type: "crypt",
        offset: BigInt(payloadOffset),
        size: null,
        flags: [],
        crypt: { cipher, ivOffset: 0n, sectorBytes: SECTOR_BYTES, integrity: null },
      },
    ],
    tokens: [],
    flags: [],
    requirements: [],
    warnings: [],
  };
}

type Common = Readonly<Record<"cipher" | "hash", string> & { keyBytes: number }>;

function readKeyslot(bytes: Uint8Array, id: number, { cipher, hash, keyBytes }: Common) {
  const at = 208 + id * KEYSLOT_BYTES;
  const state = be32(bytes, at);
  if (state !== ACTIVE && state !== INACTIVE) throw new BootError(`keyslot ${id} is neither active nor inactive`);
  const stripes = be32(bytes, at + 44);
  if (stripes !== STRIPES) throw new BootError(`keyslot ${id} has ${stripes} stripes, not ${STRIPES}`);
  const kdf = { type: "pbkdf2", hash, iterations: be32(bytes, at + 4), salt: bytes.slice(at + 8, at + 40) } as const;
  const keyslot: LuksHeader["keyslots"][number] = {
    id,
    type: "luks2",
    keyBytes,
    priority: "normal",
    area: { offset: be32(bytes, at + 40) * SECTOR_BYTES, size: splitBytes(keyBytes) },
    lock: { kdf, cipher, cipherKeyBytes: keyBytes, splitHash: hash },
  };
  return { active: state === ACTIVE, keyslot };
}

// libcryptsetup's LUKS_check_keyslots: inactive keyslots too, because they may become active.
function checkAreas(keyslots: LuksHeader["keyslots"], payloadOffset: number, deviceBytes: number): void {
  const areas = keyslots.map(({ id, area }) => ({ name: `keyslot ${id}`, ...area }));
  const limits = { name: "its header", offset: 0, size: LUKS1_BYTES };
  checkApart([limits, ...areas]);
  for (const { name, offset, size } of areas) {
    if (payloadOffset > 0 && offset + size > payloadOffset)
      throw new BootError(`the area of ${name} reaches into the data`);
    if (offset + size > deviceBytes) throw new BootError(`the area of ${name} is beyond the end of the device`);
  }
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(untilNul(bytes.subarray(at, at + length - 1)));
}
