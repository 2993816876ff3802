import { join } from "node:path";
import type { EncryptedVolume } from "./encrypted-disks.ts";
import type { MibRange } from "./used-ranges.ts";

/** A volume, and the disks that it goes to. */
export interface FormattedVolume {
  readonly volume: EncryptedVolume;
  readonly serial: string;
  readonly headerSerial: string | null;
}

/** A file that fills volumes: the guest's disks inside0, inside1, … */
export interface InsideFile {
  readonly file: string;
  /** What is copied: the rest is free, and every byte goes through an emulated cipher. */
  readonly used: readonly MibRange[];
}

// What is cheap enough for a guest that is emulated.
const COSTS = {
  argon2id: "--pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 8192 --pbkdf-parallel 2",
  argon2i: "--pbkdf argon2i --pbkdf-force-iterations 4 --pbkdf-memory 8192 --pbkdf-parallel 1",
  pbkdf2: "--pbkdf pbkdf2 --pbkdf-force-iterations 1000",
} as const;
const SMALL_LUKS2 = "--luks2-metadata-size 16k --luks2-keyslots-size 2m";

export function formatScript(volumes: readonly FormattedVolume[], insides: readonly InsideFile[]): string {
  const scripts = volumes.map(({ volume, serial, headerSerial }) => {
    const header = headerSerial === null ? "" : `--header $(device ${headerSerial})`;
    return fillScript(volume, `$(device ${serial})`, header, insides, 0);
  });
  return scripts.join("\n");
}

function fillScript(
  volume: EncryptedVolume,
  device: string,
  header: string,
  insides: readonly InsideFile[],
  depth: number,
): string {
  const name = `volume${depth}`;
  const { inside } = volume;
  const fill =
    typeof inside === "string"
      ? copyScript(insides, inside, `/dev/mapper/${name}`)
      : fillScript(inside, `/dev/mapper/${name}`, "", insides, depth + 1);
  const open = volume.type === "plain" ? plainScript(volume, device, name) : luksScript(volume, device, header, name);
  return `${open}\n${fill}\ncryptsetup close ${name}\n`;
}

function copyScript(insides: readonly InsideFile[], file: string, to: string): string {
  const number = insides.findIndex((inside) => inside.file === file);
  const copies = (insides[number]?.used ?? []).map(
    ({ start, count }) =>
      `dd if=$from of=${to} bs=1M skip=${start} seek=${start} count=${count} conv=notrunc 2>/dev/null`,
  );
  return [`from=$(device inside${number})`, ...copies].join("\n");
}

function plainScript({ keys, options = "" }: EncryptedVolume, device: string, name: string): string {
  const [key] = keys;
  if (typeof key !== "string") throw new Error("a plain volume is made with a passphrase here");
  return `printf '%s' ${quote(key)} | cryptsetup open --type plain ${options} ${device} ${name}`;
}

function luksScript(volume: EncryptedVolume, device: string, header: string, name: string): string {
  const files = volume.keys.map((key, index) =>
    typeof key === "string" ? `/tmp/key${index}` : join("/keys", key.file),
  );
  const passphrases = volume.keys.map((key, index) =>
    typeof key === "string" ? `printf '%s' ${quote(key)} > /tmp/key${index}\n` : "",
  );
  const format = luksFormatLines(volume, device, header, files);
  return `${passphrases.join("")}${format}cryptsetup open --type luks ${header} --key-file ${files[0]} ${device} ${name}`;
}

/** Lines of shell that write the header, with a keyslot for each of the key files. */
export function luksFormatLines(
  { type, options = "", kdf = "pbkdf2" }: EncryptedVolume,
  device: string,
  header: string,
  files: readonly string[],
): string {
  const cost = type === "luks2" ? COSTS[kdf] : "--pbkdf-force-iterations 1000";
  const place = type === "luks2" ? `${SMALL_LUKS2} --offset ${header === "" ? 8192 : 0}` : "";
  const adds = files
    .slice(1)
    .map((file) => `cryptsetup luksAddKey -q ${cost} ${header} --key-file ${files[0]} ${device} ${file}\n`);
  const format = `cryptsetup luksFormat -q --type ${type} ${cost} ${place} ${options} ${header} --key-file ${files[0]} ${device}\n`;
  return format + adds.join("");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
