import { openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { copyDisk } from "../copy-disk.ts";
import { encryptedVolume } from "../encrypted-volumes.ts";
import { changeCopies, editJson } from "./luks2-edit.ts";

/** Of every volume that `costlyVolume` makes. */
export const COSTLY_UUID = "7a0b1c2d-0000-4000-8000-0000000000c0";
/** Minutes on the fastest machine, and below what no header may ask for. */
export const COSTLY_ITERATIONS = 500_000_000;
const HEADER_BYTES = 1 << 20;
/** luks2_hdr_disk.uuid of LUKS2's on-disk format. */
const UUID_AT = 168;
/** luks_phdr of LUKS1's: where the UUID is, where the first keyslot's iterations are, and how far it is from one to the next. */
const LUKS1 = { uuid: 168, iterations: 208 + 4, step: 48, slots: 8 } as const;

/** A copy of the tests' LUKS2 root, or of a LUKS1 volume, whose keyslots ask for `iterations` of PBKDF2. */
export async function costlyVolume(
  version: 1 | 2 = 2,
  { iterations = COSTLY_ITERATIONS, uuid = COSTLY_UUID } = {},
): Promise<string> {
  const { volume } = await encryptedVolume(version === 2 ? "vault" : "upper");
  const copy = join(scratchDirectory(), `costly-luks${version}`);
  copyDisk(volume, copy);
  const header = new Uint8Array(readFileSync(volume).subarray(0, HEADER_BYTES));
  const changed = version === 2 ? changeLuks2(header, iterations, uuid) : changeLuks1(header, iterations, uuid);
  writeSync(openSync(copy, "r+"), changed, 0, changed.length, 0);
  return copy;
}

function changeLuks2(header: Uint8Array, iterations: number, uuid: string): Uint8Array {
  const costly = editJson(header, ({ keyslots }) => {
    for (const slot of Object.values<{ kdf: { salt: string } }>(keyslots)) {
      Object.assign(slot, { kdf: { type: "pbkdf2", hash: "sha256", iterations, salt: slot.kdf.salt } });
    }
  });
  return changeCopies(costly, (copy) => copy.set(Buffer.from(uuid), UUID_AT));
}

function changeLuks1(header: Uint8Array, iterations: number, uuid: string): Uint8Array {
  const changed = new Uint8Array(header);
  const view = new DataView(changed.buffer);
  for (let slot = 0; slot < LUKS1.slots; slot++) view.setUint32(LUKS1.iterations + slot * LUKS1.step, iterations);
  changed.set(Buffer.from(uuid), LUKS1.uuid);
  return changed;
}
