import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { run } from "../command.ts";
import type { ImageRecipe } from "./image-recipe.ts";

const MIB = 1024 * 1024;
// Labels beyond ASCII are given in UTF-8.
const UTF8 = { LC_ALL: "C.UTF-8" };
const TREE = "mkdir tree; echo hello > tree/a; head -c 300000 /dev/zero > tree/zeros; ln -s a tree/link";

/** The path of the image, made where it is not in the cache yet. */
export async function provideImage({ name, mib, script }: ImageRecipe): Promise<string> {
  const directory = await cached("probe", `${name}-${recipeKey(mib, script)}`, async (into) => {
    const path = join(into, name);
    writeFileSync(path, "");
    truncateSync(path, mib * MIB);
    await run(["/bin/sh", "-euc", TREE], { cwd: into });
    await run(["/bin/sh", "-euc", script, "sh", path, join(into, "tree")], { cwd: into, environment: UTF8 });
  });
  return join(directory, name);
}
