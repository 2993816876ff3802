import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { runScript } from "./command.ts";

/** An image with the hash tree and the error correction that the real veritysetup has made of it. */
export interface VerityFixture {
  readonly hashes: string;
  readonly correction: string;
  readonly rootHash: string;
  /** The file with it. */
  readonly rootHashFile: string;
  /** The image with one byte changed in the block before its last. */
  readonly damaged: string;
  /** Where that block begins. */
  readonly damagedAt: number;
}

/** Makes the hash tree of an image, or takes it from the cache. */
export async function verityFixture(image: string): Promise<VerityFixture> {
  const directory = await cached("verity", recipeKey(readFileSync(import.meta.path, "utf8"), image), async (target) => {
    const script = `veritysetup format --root-hash-file=root-hash --fec-device=correction --fec-roots=2 "$1" hashes
      at=$((($(stat -c %s "$1") / 4096 - 2) * 4096)); echo $at > at
      cp "$1" damaged; printf '\\252\\125\\252' | dd of=damaged bs=1 seek=$((at + 100)) conv=notrunc`;
    await runScript(script, [image], { cwd: target });
  });
  const read = (name: string) => readFileSync(join(directory, name), "utf8").trim();
  const file = (name: string) => join(directory, name);
  const rootHash = { rootHash: read("root-hash"), rootHashFile: file("root-hash") };
  const made = { hashes: file("hashes"), correction: file("correction") };
  return { ...made, ...rootHash, damaged: file("damaged"), damagedAt: Number(read("at")) };
}
