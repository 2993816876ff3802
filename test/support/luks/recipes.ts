import { CHEAP, CHEAP_ARGON2, type CryptsetupRecipe } from "./cryptsetup-image.ts";
import { FOUR_PROCESSORS } from "./four-processors.ts";

const LUKS1 = `cryptsetup luksFormat -q --type luks1 ${CHEAP}`;
const LUKS2 = "cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096";
const PBKDF2 = `--pbkdf pbkdf2 ${CHEAP}`;

const AES_MODES = [
  "aes-xts-plain64 -s 256",
  "aes-xts-plain64 -s 512",
  "aes-xts-plain -s 512",
  "aes-xts-plain64be -s 256",
  "aes-xts-essiv:sha256 -s 512",
  "aes-cbc-essiv:sha256 -s 128",
  "aes-cbc-essiv:sha256 -s 192",
  "aes-cbc-essiv:sha256 -s 256",
  "aes-cbc-plain -s 256",
  "aes-cbc-plain64 -s 128",
  "aes-cbc-plain64be -s 256",
  "aes-cbc-benbi -s 256",
  "aes-cbc-eboiv -s 256",
  "aes-cbc-null -s 256",
  "aes-ctr-plain64 -s 256",
  "aes-ecb -s 256",
  "aes -s 256",
];
const HASHES = [
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "ripemd160",
  "whirlpool",
  "sha3-224",
  "sha3-256",
  "sha3-512",
  "blake2b-512",
  "blake2s-256",
];
const METADATA_SIZES = ["16k", "32k", "64k", "128k", "256k", "512k", "1m", "2m", "4m"];

function recipe(name: string, script: string, rest: Omit<CryptsetupRecipe, "name" | "script"> = {}): CryptsetupRecipe {
  return { name, script, ...rest };
}

/** As many lanes as asked for, however many processors this host has. */
export function argon2Recipe(kdf: string, lanes: string, costs = CHEAP_ARGON2): CryptsetupRecipe {
  const format = `${LUKS2} --pbkdf ${kdf} ${costs} --pbkdf-parallel ${lanes} $1 key`;
  return recipe(`luks2-${kdf}-${lanes}`, `${FOUR_PROCESSORS}${format}`);
}

function slug(text: string): string {
  return text.replace(/[^a-z0-9]+/g, "-");
}

/** Every keyslot filled, each with a passphrase of its own but the last, which has the one of `key`. */
function fillKeyslots(format: string, add: string, last: number): string {
  const lines = Array.from(
    { length: last - 1 },
    (_, index) =>
      `printf other${index + 1} > k; cryptsetup luksAddKey -q ${add} --key-slot ${index + 1} --key-file k0 $1 k`,
  );
  return [
    "printf other0 > k0",
    `${format} --key-slot 0 $1 k0`,
    ...lines,
    `cryptsetup luksAddKey -q ${add} --key-slot ${last} --key-file k0 $1 key`,
  ].join("\n");
}

/** LUKS1 as cryptsetup makes it on a host without dm-crypt, so with AES. */
export const LUKS1_RECIPES: readonly CryptsetupRecipe[] = [
  ...AES_MODES.map((mode) => recipe(`luks1-${slug(mode)}`, `${LUKS1} -c ${mode} $1 key`)),
  ...HASHES.map((hash) => recipe(`luks1-${hash}`, `${LUKS1} --hash ${hash} $1 key`)),
  recipe("luks1-eight-keyslots", fillKeyslots(LUKS1, CHEAP, 7)),
  recipe(
    "luks1-killed-keyslot",
    `${LUKS1} $1 key; cryptsetup luksAddKey -q ${CHEAP} --key-file key $1 key; cryptsetup luksKillSlot -q $1 0`,
  ),
  recipe("luks1-detached", `truncate -s 2M header; ${LUKS1} --header header $1 key`, { header: "header" }),
  recipe("luks1-detached-payload", `truncate -s 2M header; ${LUKS1} --offset 4096 --header header $1 key`, {
    header: "header",
  }),
  recipe("luks1-empty-passphrase", `: > key; ${LUKS1} $1 key`),
  recipe(
    "luks1-from-luks2",
    `cryptsetup luksFormat -q --type luks2 ${PBKDF2} --sector-size 512 $1 key; cryptsetup convert -q --type luks1 $1`,
    { mib: 18 },
  ),
];

/** LUKS2, the same way. */
export const LUKS2_RECIPES: readonly CryptsetupRecipe[] = [
  ...["512", "1024", "2048", "4096"].map((size) =>
    recipe(`luks2-sector-${size}`, `${LUKS2} ${PBKDF2} --sector-size ${size} $1 key`),
  ),
  ...AES_MODES.map((mode) => recipe(`luks2-${slug(mode)}`, `${LUKS2} ${PBKDF2} -c ${mode} $1 key`)),
  ...AES_MODES.map((mode) => {
    const [cipher, , bits] = mode.split(" ");
    const keyslot = `--keyslot-cipher ${cipher} --keyslot-key-size ${bits}`;
    return recipe(`luks2-area-${slug(mode)}`, `${LUKS2} ${PBKDF2} ${keyslot} $1 key`);
  }),
  ...HASHES.map((hash) => recipe(`luks2-${hash}`, `${LUKS2} ${PBKDF2} --hash ${hash} $1 key`)),
  ...["argon2i", "argon2id"].flatMap((kdf) => ["1", "2", "4"].map((lanes) => argon2Recipe(kdf, lanes))),
  ...METADATA_SIZES.map((size) =>
    recipe(
      `luks2-metadata-${size}`,
      `cryptsetup luksFormat -q --type luks2 ${PBKDF2} --luks2-metadata-size ${size} --luks2-keyslots-size 1m --offset 20480 $1 key`,
      { mib: 12 },
    ),
  ),
  recipe(
    "luks2-mixed-keyslots",
    `printf one > k1; ${LUKS2} --pbkdf argon2id ${CHEAP_ARGON2} $1 k1
     cryptsetup luksAddKey -q --pbkdf pbkdf2 --hash sha512 ${CHEAP} --key-file k1 $1 key
     cryptsetup luksConvertKey -q --pbkdf argon2i ${CHEAP_ARGON2} --key-slot 1 --key-file key $1`,
  ),
  recipe(
    "luks2-priorities",
    `printf one > k1; ${LUKS2} ${PBKDF2} $1 k1
     cryptsetup luksAddKey -q ${PBKDF2} --key-slot 3 --key-file k1 $1 key
     cryptsetup luksAddKey -q ${PBKDF2} --key-slot 2 --key-file k1 $1 key
     cryptsetup config --priority prefer --key-slot 3 $1; cryptsetup config --priority ignore --key-slot 0 $1`,
  ),
  recipe(
    "luks2-32-keyslots",
    fillKeyslots(
      `${LUKS2} ${PBKDF2} -c aes-cbc-plain64 -s 128 --luks2-metadata-size 64k --luks2-keyslots-size 8m --offset 20480`,
      PBKDF2,
      31,
    ),
    { mib: 12 },
  ),
  recipe(
    "luks2-unbound",
    `${LUKS2} ${PBKDF2} --luks2-keyslots-size 8m --offset 20480 $1 key
     cryptsetup luksAddKey -q --unbound -s 8192 --key-slot 5 ${PBKDF2} --key-file key $1 key`,
    { mib: 12 },
  ),
  recipe(
    "luks2-tokens",
    `${LUKS2} ${PBKDF2} --label 'a label' --subsystem sub $1 key
     cryptsetup token add --key-description desc --key-slot 0 $1
     printf '{"type":"a-token","keyslots":["0"],"pcrs":[7]}' > token; cryptsetup token import --json-file token $1`,
  ),
  recipe(
    "luks2-detached",
    `truncate -s 2M header; cryptsetup luksFormat -q --type luks2 ${PBKDF2} --luks2-keyslots-size 1m --header header $1 key`,
    {
      header: "header",
    },
  ),
  recipe("luks2-from-luks1", `${LUKS1} --hash sha512 $1 key; cryptsetup convert -q --type luks2 $1`),
  recipe("luks2-empty-passphrase", `: > key; ${LUKS2} ${PBKDF2} $1 key`),
  recipe("luks2-offset", `${LUKS2} ${PBKDF2} --offset 6144 $1 key`),
  recipe("luks2-key-of-binary", `head -c 512 /dev/urandom > key; ${LUKS2} ${PBKDF2} $1 key`),
];

/** What cryptsetup makes and levain must let alone. */
export const REFUSED_RECIPES = {
  sm3: recipe("luks2-sm3", `${LUKS2} ${PBKDF2} --hash sm3 $1 key`),
  reencryption: recipe(
    "luks2-reencryption",
    `${LUKS2} ${PBKDF2} $1 key; cryptsetup reencrypt --init-only -q ${PBKDF2} --key-file key $1`,
    { opens: false },
  ),
} as const;
