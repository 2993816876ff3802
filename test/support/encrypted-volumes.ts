import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { type EncryptedDisk, type EncryptedVolume, encryptedDisks } from "./encrypted-disks.ts";
import { rootImage } from "./filesystem-images.ts";
import { guestPrograms } from "./guest-programs.ts";
import { isHostVolume } from "./host-encrypted.ts";

/** What opens nearly all of the volumes: found nowhere else, so that a guest's memory can be searched for it. */
export const PASSPHRASE = "sourdough Brotlaib 7391";
/** What opens the outer one of the nested volumes. */
export const OUTER_PASSPHRASE = "rye crust 2468";
export const LUKS_UUID = {
  vault: "7a0b1c2d-0000-4000-8000-000000000001",
  base: "7a0b1c2d-0000-4000-8000-000000000002",
  upper: "7a0b1c2d-0000-4000-8000-000000000003",
  apart: "7a0b1c2d-0000-4000-8000-000000000004",
  outer: "7a0b1c2d-0000-4000-8000-000000000005",
  inner: "7a0b1c2d-0000-4000-8000-000000000006",
  file: "7a0b1c2d-0000-4000-8000-000000000007",
  authenticated: "7a0b1c2d-0000-4000-8000-000000000008",
  sealed: "7a0b1c2d-0000-4000-8000-000000000009",
} as const;
/** The UUID of the ext4 inside of `vault`. */
export const ROOT_UUID = "7a0b1c2d-0000-4000-8000-0000000000ff";
/** How the plain volume is made, in cryptsetup's words: its defaults before 2.7. */
export const PLAIN_WORDS = "--hash ripemd160 --cipher aes-cbc-essiv:sha256 --key-size 256";

/** A key file of 4096 bytes, the same each time: bytes of every value, NUL and newline among them. */
export async function keyFile(): Promise<string> {
  const directory = await cached("key-files", recipeKey(readFileSync(import.meta.path, "utf8")), (target) => {
    const blocks = Array.from({ length: 128 }, (_, index) =>
      new Bun.CryptoHasher("sha256").update(`key ${index}`).digest(),
    );
    writeFileSync(join(target, "key"), Buffer.concat(blocks));
    return Promise.resolve();
  });
  return join(directory, "key");
}

/** All volumes that tests boot from but Debian's; the roots are small ones, `vault`'s has dmsetup. */
async function recipes() {
  const key = { file: await keyFile() };
  const uuid = (name: keyof typeof LUKS_UUID): string => `--uuid ${LUKS_UUID[name]}`;
  const root = await rootImage("ext4", { label: "ROOT" });
  const squashfs = await rootImage("squashfs-zstd");
  return {
    /** LUKS2 with Argon2id, labelled VAULT; ext4 ROOT_UUID labelled ROOT. */
    vault: {
      type: "luks2",
      kdf: "argon2id",
      options: `--label VAULT ${uuid("vault")}`,
      keys: [PASSPHRASE, key],
      inside: await rootImage("ext4", { label: "ROOT", uuid: ROOT_UUID }, await guestPrograms("/sbin/dmsetup")),
    },
    base: {
      type: "luks2",
      options: `-c serpent-xts-plain64 -s 512 ${uuid("base")}`,
      keys: [PASSPHRASE],
      inside: squashfs,
    },
    upper: {
      type: "luks1",
      options: `-c twofish-cbc-essiv:sha256 -s 256 --hash sha1 ${uuid("upper")}`,
      keys: [PASSPHRASE, key],
      inside: await rootImage("ext4", { label: "UPPER" }),
    },
    /** LUKS2 with its header apart, sectors of 4096 bytes, Argon2i; squashfs. */
    apart: {
      type: "luks2",
      kdf: "argon2i",
      options: `--sector-size 4096 ${uuid("apart")}`,
      keys: [key],
      hasHeaderApart: true,
      inside: squashfs,
    },
    plain: { type: "plain", options: PLAIN_WORDS, keys: [PASSPHRASE], inside: root },
    outer: {
      type: "luks1",
      options: `-c aes-cbc-essiv:sha256 -s 256 ${uuid("outer")}`,
      keys: [OUTER_PASSPHRASE],
      inside: { type: "luks2", options: uuid("inner"), keys: [PASSPHRASE], inside: root },
    },
    /** For a file on a FAT: ext4. */
    file: { type: "luks2", options: uuid("file"), keys: [PASSPHRASE], inside: root },
    /** LUKS2 with dm-integrity below; a small squashfs, as every sector is written three times and hashed. */
    authenticated: {
      type: "luks2",
      options: `--integrity hmac-sha256 ${uuid("authenticated")}`,
      keys: [PASSPHRASE],
      inside: squashfs,
    },
    /** LUKS2 whose cipher seals each sector itself, its tags in dm-integrity; squashfs. */
    sealed: {
      type: "luks2",
      options: `-c aes-gcm-random -s 256 --integrity aead ${uuid("sealed")}`,
      keys: [PASSPHRASE],
      inside: squashfs,
    },
  } as const satisfies Record<string, EncryptedVolume>;
}

type VolumeName = keyof Awaited<ReturnType<typeof recipes>>;

/** A volume by its name. With the first that is made in a guest, all of those are made. */
export async function encryptedVolume(name: VolumeName): Promise<EncryptedDisk> {
  const all: Readonly<Record<VolumeName, EncryptedVolume>> = await recipes();
  const isOnHost = isHostVolume(all[name]);
  const alike = Object.entries(all).filter(([, volume]) => isHostVolume(volume) === isOnHost);
  return (await encryptedDisks(Object.fromEntries(alike) as typeof all))[name];
}
