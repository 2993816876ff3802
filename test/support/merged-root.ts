import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { runScript } from "./command.ts";
import { writeTree } from "./initramfs.ts";
import { changesKey, type RootChanges, smallRoot } from "./root-tree.ts";

/** A small root whose programs are all in /usr, as directories. */
export interface MergedRoot {
  /** With its /usr. */
  readonly whole: string;
  /** With an empty /usr. */
  readonly root: string;
  /** What belongs there. */
  readonly usr: string;
}

const SPLIT = `cp -a "$1" "$2/whole" && cd "$2/whole"
for name in bin sbin; do mkdir -p usr/$name && cp -a $name/. usr/$name && rm -r $name && ln -s usr/$name $name; done
chmod 1777 tmp`;

const APART = 'cp -a "$1/whole" "$1/root" && mv "$1/root/usr" "$1/usr" && mkdir "$1/root/usr"';

/** The small root with /bin and /sbin as links into /usr, and with what it has besides. */
export async function mergedRoot(
  changes: Readonly<Record<string, NonNullable<RootChanges[string]>>>,
): Promise<MergedRoot> {
  const small = await smallRoot();
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), small, changesKey(changes));
  const directory = await cached("merged-roots", key, async (target) => {
    await runScript(SPLIT, [small, target]);
    writeTree(join(target, "whole"), changes);
    await runScript(APART, [target]);
  });
  return { whole: join(directory, "whole"), root: join(directory, "root"), usr: join(directory, "usr") };
}
