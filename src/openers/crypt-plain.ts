import type { CryptVolume, PlainFormat } from "../config/crypt-plan.ts";
import { BootError } from "../errors.ts";
import { isNullCipher } from "../luks/cipher.ts";
import { createFindHash, type FindHash } from "../luks/hash.ts";
import { SECTOR_BYTES } from "../luks/header.ts";
import { hashPlainKey } from "../luks/plain-key.ts";
import { secretBytes, wipe } from "../luks/secret.ts";
import { printable } from "../report.ts";
import type { BlockDevice } from "../steps/block-devices.ts";
import { type Lock, mappingUuid, type SecretKind } from "./crypt-lock.ts";
import { isWriteProtected } from "./crypt-luks.ts";
import { createCryptMapping } from "./crypt-mapping.ts";
import { requireTarget } from "./crypt-modules.ts";
import { removeMapping, requireFreeNames } from "./mapping.ts";
import type { Scene } from "./opener.ts";

/** A plain dm-crypt volume: a secret is taken for right where something known is inside. */
export function preparePlain(scene: Scene, device: BlockDevice, volume: CryptVolume, format: PlainFormat): Lock {
  const name = volume.name ?? `plain-${device.name}`;
  const uuid = mappingUuid("PLAIN", "", name);
  const findHash = createFindHash(scene.machine);
  return {
    name,
    text: `plain ${printable(format.cipher)}`,
    isGuess: true,
    isMapping: (mapping) => mapping.uuid === uuid,
    check() {
      requireTarget(scene, "crypt");
      dataSectors(device, format);
      hashPlainKey(format.hash, new Uint8Array(format.keyBits / 8), format.keyBits / 8, findHash);
      if (isNullCipher(format.cipher) && !volume.allowsNull) {
        throw new BootError(`${format.cipher} does not encrypt`, {
          hint: "rd.luks.options=insecure-null takes it all the same",
        });
      }
      requireFreeNames(scene.machine, [name]);
    },
    open(secret, kind) {
      const key = takeKey(secret, kind, format, findHash);
      if (key === null) return null;
      try {
        const request = {
          ...{ name, uuid, readOnly: volume.isReadOnly || isWriteProtected(scene.machine, device) },
          ...{ cipher: format.cipher, ivOffset: BigInt(format.skipSectors), device: device.number },
          ...{ offsetSectors: format.offsetSectors, sizeSectors: dataSectors(device, format) },
          options: [...sectorOption(format), ...volume.options],
          keyDescription: `cryptsetup:plain-${name}`,
        };
        const mapping = createCryptMapping(scene, request, key);
        const inside = scene.look(mapping.device)?.facts;
        if (inside !== undefined && (inside.type !== null || inside.partitionTable !== null)) return mapping;
        removeMapping(scene.machine, mapping);
        scene.look(mapping.device);
        return null;
      } finally {
        wipe(key);
      }
    },
  };
}

/** As long as the cipher wants it; null for a passphrase that is too short for "plain". The caller wipes it. */
function takeKey(
  secret: Uint8Array,
  kind: SecretKind,
  { hash, keyBits }: PlainFormat,
  findHash: FindHash,
): Uint8Array | null {
  if (kind === "passphrase") return hashPlainKey(hash, secret, keyBits / 8, findHash);
  if (secret.length < keyBits / 8) {
    throw new BootError(`the key file has ${secret.length} bytes, and the key ${keyBits / 8}`);
  }
  const key = secretBytes(keyBits / 8);
  key.set(secret.subarray(0, key.length));
  return key;
}

function sectorOption({ sectorBytes }: PlainFormat): readonly string[] {
  return sectorBytes === SECTOR_BYTES ? [] : [`sector_size:${sectorBytes}`];
}

/** Of 512 bytes, in whole sectors of the format. Throws BootError where the device does not reach that far. */
function dataSectors({ node, sizeBytes }: BlockDevice, format: PlainFormat): number {
  const { offsetSectors, sizeSectors, sectorBytes } = format;
  const there = Math.floor(sizeBytes / SECTOR_BYTES) - offsetSectors;
  const wanted = sizeSectors ?? there - (there % (sectorBytes / SECTOR_BYTES));
  if (wanted > 0 && wanted <= there) return wanted;
  throw new BootError(`${node} is too small for the data`, {
    seen: [`${there + offsetSectors} sectors, data from ${offsetSectors} on`],
  });
}
