import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { unpackedPackages } from "./debian-packages.ts";
import { smallRoot } from "./root-tree.ts";

const MEMBERS = ["one", "two"] as const;

/** The two disks of a bcachefs with the label POOL and the small root in it. */
export async function bcachefsPool(): Promise<readonly [string, string]> {
  const tree = await smallRoot();
  const directory = await cached(
    "bcachefs-pools",
    recipeKey(readFileSync(import.meta.path, "utf8"), tree),
    async (target) => {
      const bcachefs = join(await unpackedPackages(["bcachefs-tools"], "trixie"), "bin/bcachefs");
      const files = MEMBERS.map((name) => join(target, name));
      await run(["truncate", "-s", "128M", ...files]);
      // Of the root's data there is one copy, which it would put on either disk.
      const [first = "", second = ""] = files;
      const names = ["--replicas=2", "--fs_label=POOL", `--source=${tree}`];
      await run([bcachefs, "format", ...names, first, "--data_allowed=journal,btree", second]);
    },
  );
  return [join(directory, MEMBERS[0]), join(directory, MEMBERS[1])];
}
