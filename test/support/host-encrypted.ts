import { closeSync, openSync, readFileSync, readSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readLuksHeader } from "../../src/formats/luks/read-header.ts";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import type { EncryptedVolume } from "./encrypted-disks.ts";
import { luksFormatLines } from "./encrypted-disks-script.ts";
import { encryptSectors } from "./fake-crypt.ts";
import { byteSource } from "./luks/sources.ts";
import { type MibRange, usedRanges } from "./used-ranges.ts";

const MIB = 1024 * 1024;
const HEADER_MIB = 4;
/** So much is encrypted at a time. */
const STEP_MIB = 4;

/** A volume that needs no device mapper: cryptsetup writes its header into a file, and Node has its cipher, aes-xts-plain64. */
export interface HostVolume extends EncryptedVolume {
  readonly type: "luks2";
  readonly inside: string;
}

export function isHostVolume(volume: EncryptedVolume): volume is HostVolume {
  const { type, inside, options = "" } = volume;
  return type === "luks2" && typeof inside === "string" && !/(^| )-c |--integrity/.test(options);
}

/** Makes the volume of `mib` MiB as dm-crypt would have filled it, and its header beside it if that is apart. */
export async function makeHostVolume(volume: HostVolume, file: string, mib: number): Promise<void> {
  const directory = scratchDirectory();
  const header = volume.hasHeaderApart ? `${file}.header` : file;
  writeFileSync(file, "");
  truncateSync(file, mib * MIB);
  if (header !== file) {
    writeFileSync(header, "");
    truncateSync(header, HEADER_MIB * MIB);
  }
  const volumeKey = join(directory, "volume-key");
  const key = crypto.getRandomValues(new Uint8Array(64));
  writeFileSync(volumeKey, key);
  const files = volume.keys.map((one, index) => {
    if (typeof one !== "string") return one.file;
    const passphrase = join(directory, `key${index}`);
    writeFileSync(passphrase, one);
    return passphrase;
  });
  // Of a file, cryptsetup takes the block size of its filesystem, 4096, where it takes 512 of most disks: what is named last counts.
  const options = `--sector-size 512 ${volume.options ?? ""} -s ${key.length * 8} --volume-key-file ${volumeKey}`;
  await runScript(luksFormatLines({ ...volume, options }, file, header === file ? "" : `--header ${header}`, files));
  fillVolume(
    file,
    readFileSync(header).subarray(0, HEADER_MIB * MIB),
    key,
    volume.inside,
    await usedRanges(volume.inside),
  );
}

function fillVolume(
  file: string,
  header: Uint8Array,
  key: Uint8Array,
  inside: string,
  used: readonly MibRange[],
): void {
  const [segment] = readLuksHeader(byteSource(header)).segments;
  if (segment?.crypt?.cipher !== "aes-xts-plain64") throw new Error(`${file} cannot be filled on this host`);
  const { cipher, sectorBytes } = segment.crypt;
  const [from, to] = [openSync(inside, "r"), openSync(file, "r+")];
  const steps = used.flatMap(({ start, count }) =>
    Array.from({ length: Math.ceil(count / STEP_MIB) }, (_, step) => {
      const mib = start + step * STEP_MIB;
      return { at: mib * MIB, bytes: Math.min(STEP_MIB, start + count - mib) * MIB };
    }),
  );
  for (const { at, bytes } of steps) {
    const plain = new Uint8Array(bytes);
    readSync(from, plain, 0, bytes, at);
    const data = encryptSectors({ cipher, key, ivOffset: at / 512, sectorBytes }, plain);
    writeSync(to, data, 0, bytes, Number(segment.offset) + at);
  }
  closeSync(from);
  closeSync(to);
}
