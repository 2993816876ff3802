import { isNullCipher } from "../../../crypto/cipher.ts";
import { createFindHash, type FindHash } from "../../../crypto/hash.ts";
import { secretBytes, wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import { SECTOR_BYTES } from "../../../formats/luks/header.ts";
import { hashPlainKey } from "../../../keys/kdf.ts";
import type { PlainFormat } from "../../../parameters/crypt/place.ts";
import type { CryptVolume } from "../../../plan/plan.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { expectTarget, isWriteProtected, removeMapping, requireFreeNames } from "../../device-mapper/mapping.ts";
import { createCryptMapping, expectCipher } from "./dm-crypt.ts";
import { type Lock, mappingUuid, type SecretKind } from "./lock.ts";

/** Prepares a plain dm-crypt volume: a secret counts as right if it opens something known. */
export function preparePlain(
  context: StorageContext,
  device: BlockDevice,
  volume: CryptVolume,
  format: PlainFormat,
): Lock {
  const name = volume.name ?? `plain-${device.name}`;
  const uuid = mappingUuid("PLAIN", "", name);
  const findHash = createFindHash(context.machine);
  return {
    name,
    text: `plain ${printable(format.cipher)}`,
    isGuess: true,
    isMapping: (mapping) => mapping.uuid === uuid,
    check() {
      expectTarget(context, "crypt");
      expectCipher(context, format.cipher);
      dataSectors(device, format);
      hashPlainKey(format.hash, new Uint8Array(format.keyBits / 8), format.keyBits / 8, findHash);
      const { cipher } = format;
      if (isNullCipher(cipher) && !volume.allowsNull) throw problem("null-cipher", { cipher });
      requireFreeNames(context.machine, [name]);
    },
    open(secret, kind) {
      const { sectorBytes } = format;
      const sectorOption = sectorBytes === SECTOR_BYTES ? [] : [`sector_size:${sectorBytes}`];
      const key = takeKey(secret, kind, format, findHash);
      if (key === null) return null;
      try {
        const request = {
          ...format,
          name,
          uuid,
          readOnly: volume.isReadOnly || isWriteProtected(context.machine, device),
          ivOffset: BigInt(format.skipSectors),
          device: device.number,
          sizeSectors: dataSectors(device, format),
          options: [...sectorOption, ...volume.options],
          keyDescription: `cryptsetup:plain-${name}`,
        };
        const mapping = createCryptMapping(context, request, key);
        const inside = context.look(mapping.device)?.facts;
        if (inside !== undefined && (inside.type !== null || inside.partitionTable !== null)) return mapping;
        removeMapping(context.machine, mapping);
        context.look(mapping.device);
        return null;
      } finally {
        wipe(key);
      }
    },
  };
}

/** Returns a key of the length that the cipher needs, which the caller wipes; null for a passphrase that is too short for "plain". */
function takeKey(
  secret: Uint8Array,
  kind: SecretKind,
  { hash, keyBits }: PlainFormat,
  findHash: FindHash,
): Uint8Array | null {
  if (kind === "passphrase") return hashPlainKey(hash, secret, keyBits / 8, findHash);
  if (secret.length < keyBits / 8) throw problem("key-too-short", { bytes: secret.length, keyBytes: keyBits / 8 });
  const key = secretBytes(keyBits / 8);
  key.set(secret.subarray(0, key.length));
  return key;
}

/** Returns the size in sectors of 512 bytes, in whole sectors of the format. Throws BootError if the device is smaller. */
function dataSectors({ node, sizeBytes }: BlockDevice, format: PlainFormat): number {
  const { offsetSectors, sizeSectors, sectorBytes } = format;
  const there = Math.floor(sizeBytes / SECTOR_BYTES) - offsetSectors;
  const wanted = sizeSectors ?? there - (there % (sectorBytes / SECTOR_BYTES));
  if (wanted > 0 && wanted <= there) return wanted;
  const seen = [`${there + offsetSectors} sectors, data from ${offsetSectors} on`];
  throw problem("data-beyond-device", { node }, { seen });
}
