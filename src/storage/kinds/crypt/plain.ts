import { isNullCipher } from "../../../crypto/cipher.ts";
import { createFindHash, type FindHash } from "../../../crypto/hash.ts";
import { secretBytes, wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import { SECTOR_BYTES } from "../../../formats/luks/header.ts";
import { hashPlainKey } from "../../../keys/plain-key.ts";
import type { PlainFormat } from "../../../parameters/crypt/settings.ts";
import type { CryptVolume } from "../../../plan/crypt/crypt-plan.ts";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { removeMapping, requireFreeNames } from "../../mapping.ts";
import { requireTarget } from "../../mapping-target.ts";
import type { Scene } from "../../opener.ts";
import { createCryptMapping } from "./crypt-mapping.ts";
import { type Lock, mappingUuid, type SecretKind } from "./lock.ts";
import { isWriteProtected } from "./luks.ts";

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
