import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { keyFile, PASSPHRASE } from "./encrypted-volumes.ts";
import { makeInGuest } from "./maker-guest.ts";

const DISK_MIB = 64;
const [KEY, VOLUME_KEY] = ["/keys/file", "/keys/volume"];
/** Of the volume `store`: aes-xts-plain64. */
export const STORE_KEY = "a volume key for tests, 32 bytes.".slice(0, 32);
const LUKS = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000";
const SMALL_LUKS2 = `--type luks2 ${LUKS} --luks2-metadata-size 16k --luks2-keyslots-size 2m --offset 8192`;
const MIRROR =
  "mdadm -q --create /dev/md9 --run --homehost=maker --metadata=1.2 --level=1 --raid-devices=2 --assume-clean";

/** The UUIDs of the LUKS headers. */
export const STACKED_UUID = {
  store: "57ac0000-0000-4000-8000-000000000001",
  member0: "57ac0000-0000-4000-8000-000000000002",
  member1: "57ac0000-0000-4000-8000-000000000003",
  inner: "57ac0000-0000-4000-8000-000000000004",
} as const;

const open = (options: string, key: string, device: string, name: string) =>
  `cryptsetup luksFormat -q ${options} --key-file ${key} ${device}; cryptsetup open --key-file ${key} ${device} ${name}\n`;
const close = (...names: readonly string[]) => names.map((name) => `cryptsetup close ${name}\n`).join("");

const RECIPES = {
  /** A mirror with a LUKS1 (`PASSPHRASE`, `STORE_KEY`) with an empty ext4 labelled STORE. */
  store: `
    ${MIRROR} $(device store0) $(device store1) </dev/null
    printf '%s' '${PASSPHRASE}' > /tmp/passphrase
    ${open(`--type luks1 --pbkdf-force-iterations 1000 -c aes-xts-plain64 -s 256 --master-key-file ${VOLUME_KEY} --uuid ${STACKED_UUID.store}`, "/tmp/passphrase", "/dev/md9", "store")}
    mkfs.ext4 -q -L STORE /dev/mapper/store
    ${close("store")}
    mdadm -q --stop /dev/md9`,
  /** Two LUKS2 (`keyFile()`), a mirror of them, in it a LUKS2 with an empty ext4 labelled NESTED. */
  nested: `
    ${open(`${SMALL_LUKS2} --uuid ${STACKED_UUID.member0}`, KEY, "$(device nested0)", "member0")}
    ${open(`${SMALL_LUKS2} --uuid ${STACKED_UUID.member1}`, KEY, "$(device nested1)", "member1")}
    ${MIRROR} /dev/mapper/member0 /dev/mapper/member1 </dev/null
    ${open(`${SMALL_LUKS2} --uuid ${STACKED_UUID.inner}`, KEY, "/dev/md9", "inner")}
    mkfs.ext4 -q -L NESTED /dev/mapper/inner
    ${close("inner")}
    mdadm -q --stop /dev/md9
    ${close("member0", "member1")}`,
} as const;

/** The two disks of a mirror and LUKS volumes, one on the other. All of them are made in one guest. */
export async function stackedDisks(name: keyof typeof RECIPES): Promise<readonly [string, string]> {
  const key = await keyFile();
  const serials = Object.keys(RECIPES).flatMap((one) => [`${one}0`, `${one}1`]);
  const directory = await cached("stacked-disks", recipeKey(readFileSync(import.meta.path, "utf8")), (target) =>
    makeInGuest({
      name: "stacked disks",
      disks: serials.map((serial) => ({ serial, file: join(target, serial), mib: DISK_MIB })),
      modules: ["raid1", "dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
      programs: ["/usr/sbin/mdadm", "/sbin/mkfs.ext4", "/sbin/cryptsetup"],
      files: { [KEY]: { file: key }, [VOLUME_KEY]: { text: STORE_KEY } },
      script: Object.values(RECIPES).join("\n"),
    }),
  );
  return [join(directory, `${name}0`), join(directory, `${name}1`)];
}
