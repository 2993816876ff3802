import { type CryptsetupRecipe, provideLuksImage } from "../test/support/luks/cryptsetup-image.ts";
import { FOUR_PROCESSORS } from "../test/support/luks/four-processors.ts";

export interface TimedHeader {
  readonly name: string;
  /** The header file, and the file with its passphrase. */
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
  // Everything but the key derivation, which costs next to nothing here.
  { ...pbkdf2("sha256", 1000), name: "bench-all but the derivation" },
];

/** 128 MiB and 4 passes with the given lanes; digests have a thousand iterations, so that the keyslot dominates. */
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

/** Returns the headers whose name contains `part`, from the cache or new. */
export async function provideHeaders(part: string): Promise<readonly TimedHeader[]> {
  const wanted = RECIPES.filter(({ name }) => name.includes(part));
  const images = await Promise.all(wanted.map(provideLuksImage));
  return images.map(({ name, path, keyFile }) => ({ name: name.replace("bench-", ""), image: path, keyFile }));
}
