import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { runScript } from "../command.ts";

/** What the passphrase of every image is, where its recipe does not say otherwise. */
export const PASSPHRASE = "pass";

/** Costs that make a header in milliseconds; for LUKS1, and for LUKS2 with PBKDF2. */
export const CHEAP = "--pbkdf-force-iterations 1000";
/** The least that libcryptsetup takes for Argon2. */
export const CHEAP_ARGON2 = "--pbkdf-force-iterations 4 --pbkdf-memory 64";

/** A LUKS image that the real cryptsetup made on this host, cached outside of the tree. */
export interface CryptsetupImage {
  readonly name: string;
  readonly path: string;
  /** The passphrase alone. */
  readonly keyFile: string;
  /** Where the header is, if not in the image. */
  readonly header: string | null;
  /** As `luksDump --dump-volume-key` told it when the image was made; null where the recipe cannot be opened any more. */
  readonly volumeKey: Uint8Array | null;
}

export interface CryptsetupRecipe {
  readonly name: string;
  /** Lines of a shell script; `$1` is the image, which is there and empty, `key` a file with the passphrase. */
  readonly script: string;
  /** MiB; 4 where it is not given. */
  readonly mib?: number;
  /** Where the header is, if not in the image: a file that the script makes. */
  readonly header?: string;
  /** False where cryptsetup itself cannot read the volume key. */
  readonly opens?: boolean;
}

const DUMP = "cryptsetup luksDump -q --dump-volume-key --key-file key";

/** Makes the image, or takes it from the cache. */
export async function provideLuksImage(recipe: CryptsetupRecipe): Promise<CryptsetupImage> {
  const { name, script, mib = 4, header, opens = true } = recipe;
  const directory = await cached("luks", `${name}-${recipeKey(recipe)}`, async (target) => {
    const dump = opens ? `${DUMP} ${header ?? "image"} > volume-key` : ": > volume-key";
    const lines = [`printf ${PASSPHRASE} > key`, `truncate -s ${mib}M image`, "set -- image", script, dump];
    await runScript(lines.join("\n"), [], { cwd: target });
  });
  const dump = readFileSync(join(directory, "volume-key"), "utf8");
  return {
    name,
    path: join(directory, "image"),
    keyFile: join(directory, "key"),
    header: header === undefined ? null : join(directory, header),
    volumeKey: opens ? readDump(dump) : null,
  };
}

/** The hexadecimal digits of an "MK dump:". */
function readDump(text: string): Uint8Array {
  return Uint8Array.fromHex((text.split("MK dump:")[1] ?? "").replace(/[^0-9a-f]/g, ""));
}

/** The first `bytes` of an image, where the header is. */
export function readImage({ path }: Pick<CryptsetupImage, "path">, bytes = 4 << 20): Uint8Array {
  return new Uint8Array(readFileSync(path).subarray(0, bytes));
}
