import { type CryptsetupRecipe, provideLuksImage } from "../test/support/luks/cryptsetup-image.ts";
import { FOUR_PROCESSORS } from "../test/support/luks/four-processors.ts";

/** A header to unlock, made by the real cryptsetup. */
export interface TimedHeader {
  readonly name: string;
  /** The file, and the one with its passphrase. */
  readonly image: string;
  readonly keyFile: string;
}

const LUKS2 = "cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096";
const ITERATIONS = 500_000;
const MEMORY_KIB = 128 << 10;

const RECIPES: readonly CryptsetupRecipe[] = [
  argon2("argon2id", 4),
  argon2("argon2id", 2),
  argon2("argon2id", 1),
  argon2("argon2i", 4),
  ...["sha1", "sha256", "sha512", "ripemd160", "whirlpool"].map((hash) => pbkdf2(hash, ITERATIONS)),
  // What is left of an unlock where the key derivation costs next to nothing.
  { ...pbkdf2("sha256", 1000), name: "bench-all but the derivation" },
];

/** Of 128 MiB and 4 passes, in the lanes that are asked for; digests of a thousand iterations, so that the keyslot is what counts. */
function argon2(kdf: string, lanes: number): CryptsetupRecipe {
  const costs = `--pbkdf-force-iterations 4 --pbkdf-memory ${MEMORY_KIB} --pbkdf-parallel ${lanes}`;
  return {
    name: `bench-${kdf}, ${lanes} lane${lanes === 1 ? "" : "s"}`,
    script: `${FOUR_PROCESSORS}${LUKS2} --pbkdf ${kdf} ${costs} $1 key`,
  };
}

function pbkdf2(hash: string, iterations: number): CryptsetupRecipe {
  return {
    name: `bench-pbkdf2 ${hash}`,
    script: `${LUKS2} --pbkdf pbkdf2 --pbkdf-force-iterations ${iterations} --hash ${hash} $1 key`,
  };
}

/** The headers whose name contains `wish`; made where they are not in the cache. */
export async function provideHeaders(wish: string): Promise<readonly TimedHeader[]> {
  const wanted = RECIPES.filter(({ name }) => name.includes(wish));
  const images = await Promise.all(wanted.map(provideLuksImage));
  return images.map(({ name, path, keyFile }) => ({ name: name.replace("bench-", ""), image: path, keyFile }));
}
