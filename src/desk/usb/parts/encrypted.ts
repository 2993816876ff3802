import { closeSync, openSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createFindHash } from "../../../crypto/hash.ts";
import { wipe } from "../../../crypto/secret.ts";
import { encryptXts } from "../../../crypto/xts.ts";
import { readLuksHeader } from "../../../formats/luks/read-header.ts";
import { aesDecryptor } from "../../../keys/area-decryptor.ts";
import { createDeriveKey } from "../../../keys/kdf.ts";
import { unlock } from "../../../keys/unlock.ts";
import type { Machine } from "../../../machine/machine.ts";
import { readAvailableMemory, readTotalMemory } from "../../../machine/small-files.ts";
import { BootError } from "../../../problems/errors.ts";
import { formatBytes } from "../../../problems/size.ts";
import type { Voice } from "../../../problems/voice.ts";
import { withReader } from "../../host.ts";
import { readChunks, writeAt } from "../disk/chunks.ts";
import { MIB, roundUp, SECTOR_BYTES } from "../layout.ts";
import type { Workspace } from "../workspace.ts";

/** The sectors of dm-crypt; an initialisation vector of "plain64" counts in units of 512 bytes all the same. */
const UNIT_BYTES = 4096;
const HEADER_BYTES = 16 * MIB;
/** As much memory as a small machine has at boot; cryptsetup's default is 1 GiB. */
const KDF_MEMORY_KIB = 131072;

/** Returns the bytes of a volume with this content. */
export const measureVolume = (bytes: number) => HEADER_BYTES + roundUp(bytes);

/** A volume to make. */
export interface VolumeRequest {
  /** The file whose content is encrypted. */
  readonly plain: string;
  readonly name: string;
  readonly uuid: string;
  /** The caller wipes it. */
  readonly passphrase: Uint8Array;
}

/**
 * Makes a LUKS2 volume in a file, without root and without device mapper: cryptsetup writes the header, levain opens it as a boot
 * does, and encrypts the content. Returns the path of the file. Throws BootError.
 */
export async function makeVolume(request: VolumeRequest, machine: Machine, workspace: Workspace, voice: Voice) {
  const { plain, name, uuid, passphrase } = request;
  const { size } = statSync(plain);
  const volume = workspace.path(`${name}.luks`);
  writeFileSync(volume, "", { mode: 0o600 });
  truncateSync(volume, measureVolume(size));
  const cipher = ["--cipher", "aes-xts-plain64", "--key-size", "512", "--sector-size", String(UNIT_BYTES)];
  const kdf = ["--pbkdf", "argon2id", "--pbkdf-memory", String(KDF_MEMORY_KIB)];
  const header = ["--offset", String(HEADER_BYTES / SECTOR_BYTES), "--uuid", uuid];
  const args = [
    "luksFormat",
    "--batch-mode",
    "--type",
    "luks2",
    ...cipher,
    ...kdf,
    ...header,
    "--key-file",
    "-",
    volume,
  ];
  await workspace.run("cryptsetup", "make the encrypted volume", args, { stdin: passphrase });
  const key = openVolume(volume, passphrase, machine);
  const target = openSync(volume, "r+");
  try {
    for await (const { at, bytes } of readChunks(plain)) {
      voice.progress(`encrypting, ${formatBytes(at)} of ${formatBytes(size)}`);
      writeAt(target, volume, HEADER_BYTES + at, encryptAt(key, at, bytes));
    }
  } finally {
    wipe(key);
    closeSync(target);
  }
  return volume;
}

/** Returns the volume key, which the caller wipes. */
function openVolume(volume: string, passphrase: Uint8Array, machine: Machine): Uint8Array {
  const header = withReader(machine, volume, readLuksHeader);
  const unlocked = unlock(header, passphrase, {
    ...{ memoryBytes: readAvailableMemory(machine), totalBytes: readTotalMemory(machine), allowsNull: false },
    ...{ decryptors: [aesDecryptor], findHash: createFindHash(machine), keyslot: null },
    deriveKey: createDeriveKey(machine),
  });
  if (unlocked.kind === "unlocked") return unlocked.volumeKey;
  throw new BootError("the passphrase does not open the volume that cryptsetup made with it");
}

/** Encrypts what is at `at` of the content; bytes up to the end of the last unit are zero. */
function encryptAt(key: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const units = Math.ceil(bytes.length / UNIT_BYTES);
  const whole = new Uint8Array(units * UNIT_BYTES);
  whole.set(bytes);
  const tweaks = new Uint8Array(units * 16);
  const view = new DataView(tweaks.buffer);
  for (let unit = 0; unit < units; unit++) {
    view.setBigUint64(unit * 16, BigInt((at + unit * UNIT_BYTES) / SECTOR_BYTES), true);
  }
  return encryptXts(key, tweaks, whole, UNIT_BYTES);
}
