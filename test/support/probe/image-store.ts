import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../cache.ts";
import { run } from "../command.ts";
import { copyDisk } from "../copy-disk.ts";
import { makeInGuest } from "../maker-guest.ts";
import type { ImageRecipe } from "./image-recipe.ts";
import { RECIPES } from "./recipes.ts";

const MIB = 1024 * 1024;
// Labels beyond ASCII are given in UTF-8.
const UTF8 = { LC_ALL: "C.UTF-8" };
const TREE = "mkdir tree; echo hello > tree/a; head -c 300000 /dev/zero > tree/zeros; ln -s a tree/link";

/** Returns the path of the image, which is made if it is not in the cache. */
export async function provideImage({ name, mib, script, deviceScript }: ImageRecipe): Promise<string> {
  const directory = await cached("probe", `${name}-${recipeKey(mib, script, deviceScript)}`, async (into) => {
    const path = join(into, name);
    if (deviceScript === undefined) writeFileSync(path, "");
    else copyDisk(join(await deviceImages(), name), path);
    truncateSync(path, mib * MIB);
    await run(["/bin/sh", "-euc", TREE], { cwd: into });
    await run(["/bin/sh", "-euc", script, "sh", path, join(into, "tree")], { cwd: into, environment: UTF8 });
  });
  return join(directory, name);
}

/** Returns a directory with the results of the device scripts of all recipes, which one guest runs. */
function deviceImages(): Promise<string> {
  const recipes = RECIPES.filter(({ deviceScript }) => deviceScript !== undefined);
  return cached("device-images", recipeKey(recipes), (target) =>
    makeInGuest({
      name: "device images",
      disks: recipes.map(({ name, mib }, index) => ({ serial: `image${index}`, file: join(target, name), mib })),
      modules: ["dm-mod"],
      programs: ["/sbin/lvm", "/usr/sbin/make-bcache"],
      script: recipes.map(({ deviceScript }, index) => `set -- $(device image${index})\n${deviceScript}`).join("\n"),
    }),
  );
}
