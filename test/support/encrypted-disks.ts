import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { type FormattedVolume, formatScript } from "./encrypted-disks-script.ts";
import { isHostVolume, makeHostVolume } from "./host-encrypted.ts";
import { type MakerDisk, makeInGuest } from "./maker-guest.ts";
import { usedRanges } from "./used-ranges.ts";

const MIB = 1024 * 1024;

export interface EncryptedVolume {
  readonly type: "luks1" | "luks2" | "plain";
  /** More words for cryptsetup's luksFormat, or for its open of a plain one, as "-c serpent-xts-plain64 -s 512". */
  readonly options?: string;
  /** LUKS2's; default pbkdf2, which costs less here. */
  readonly kdf?: "argon2id" | "argon2i" | "pbkdf2";
  /** What opens it, keyslot by keyslot: a passphrase, or all bytes of a file of the host. A plain one has one passphrase. */
  readonly keys: readonly (string | { readonly file: string })[];
  readonly hasHeaderApart?: boolean;
  /** The file that fills it, or a volume inside of it. */
  readonly inside: string | EncryptedVolume;
}

/** Raw images. */
export interface EncryptedDisk {
  readonly volume: string;
  /** The detached header; empty where the volume has its own. */
  readonly header: string;
}

/**
 * The volumes by name: those that need a device mapper, which this host may not have, are made all at once in a guest with
 * Debian's kernel. They are kept until a recipe or what is inside changes.
 */
export async function encryptedDisks<Name extends string>(
  volumes: Readonly<Record<Name, EncryptedVolume>>,
): Promise<Readonly<Record<Name, EncryptedDisk>>> {
  const named = Object.entries<EncryptedVolume>(volumes);
  const sources = [
    "encrypted-disks.ts",
    "encrypted-disks-script.ts",
    "host-encrypted.ts",
    "maker-guest.ts",
    "used-ranges.ts",
  ].map((name) => readFileSync(join(import.meta.dir, name), "utf8"));
  const stamps = named.flatMap(([, volume]) => hostFiles(volume)).map((file) => [file, statSync(file).mtimeMs]);
  const directory = await cached("encrypted-disks", recipeKey(sources, volumes, stamps), (target) =>
    makeVolumes(named, target),
  );
  const disks = named.map(([name]) => [
    name,
    { volume: join(directory, name), header: join(directory, `${name}.header`) },
  ]);
  return Object.fromEntries(disks) as Record<Name, EncryptedDisk>;
}

type Named = readonly (readonly [name: string, volume: EncryptedVolume])[];

async function makeVolumes(named: Named, target: string): Promise<void> {
  for (const [name, volume] of named)
    if (isHostVolume(volume)) await makeHostVolume(volume, join(target, name), volumeMib(volume));
  const others = named.filter(([, volume]) => !isHostVolume(volume));
  if (others.length > 0) await makeVolumesInGuest(others, target);
}

async function makeVolumesInGuest(named: Named, target: string): Promise<void> {
  const formatted: FormattedVolume[] = [];
  const disks: MakerDisk[] = [];
  for (const [index, [name, volume]] of named.entries()) {
    const file = join(target, name);
    disks.push({ file, serial: `volume${index}`, mib: volumeMib(volume) });
    if (volume.hasHeaderApart) disks.push({ file: `${file}.header`, serial: `header${index}`, mib: 4 });
    formatted.push({ volume, serial: `volume${index}`, headerSerial: volume.hasHeaderApart ? `header${index}` : null });
  }
  const insides = [...new Set(named.flatMap(([, volume]) => innermost(volume)))];
  disks.push(...insides.map((file, index) => ({ file, serial: `inside${index}`, readOnly: true as const })));
  const keys = named.flatMap(([, volume]) => keyFiles(volume));
  await makeInGuest({
    name: "encrypted disks",
    disks,
    modules: ["dm-mod", "dm-crypt", "dm-integrity", "xts", "cbc", "essiv", "ecb", "algif_skcipher"],
    programs: ["/sbin/cryptsetup"],
    files: Object.fromEntries(keys.map((file) => [join("/keys", file), { file }])),
    script: formatScript(
      formatted,
      await Promise.all(insides.map(async (file) => ({ file, used: await usedRanges(file) }))),
    ),
  });
}

/** Room for what is inside, a header, and the tags of dm-integrity. */
function volumeMib(volume: EncryptedVolume): number {
  const { inside, type, options = "" } = volume;
  const insideMib = typeof inside === "string" ? Math.ceil(statSync(inside).size / MIB) : volumeMib(inside);
  return insideMib + (type === "plain" || volume.hasHeaderApart ? 0 : 4) + (options.includes("--integrity") ? 16 : 0);
}

function innermost({ inside }: EncryptedVolume): string {
  return typeof inside === "string" ? inside : innermost(inside);
}

function keyFiles(volume: EncryptedVolume): string[] {
  const own = volume.keys.flatMap((key) => (typeof key === "string" ? [] : [key.file]));
  return typeof volume.inside === "string" ? own : [...own, ...keyFiles(volume.inside)];
}

function hostFiles(volume: EncryptedVolume): string[] {
  return [innermost(volume), ...keyFiles(volume)];
}
