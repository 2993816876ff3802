import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const PAGE_BYTES = 4096;
const ROOT = "mkfs.ext4 -q -b 4096 -L ROOT -d /tree";

/** How root and swap lie: the disks, and what makes them. */
const STACKS = {
  /** A swap file on the root. */
  file: {
    sizes: [320],
    make: (disk: string) => `
      ${ROOT} ${disk}; mount ${disk} /mnt
      dd if=/dev/zero of=/mnt/swapfile bs=1M count=224 2>/dev/null; chmod 600 /mnt/swapfile; mkswap /mnt/swapfile; umount /mnt`,
  },
} as const;

/** The name of a stack. */
export type HibernationStack = keyof typeof STACKS;

/** The disks of a system that can hibernate. */
export async function hibernationDisks(stack: HibernationStack): Promise<readonly string[]> {
  const tree = await smallRoot();
  const { sizes, make } = STACKS[stack];
  const names = sizes.map((_, index) => `${stack}${index}`);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), stack, tree);
  const directory = await cached("hibernation-disks", key, async (target) =>
    makeInGuest({
      name: `systems that can hibernate, ${stack}`,
      disks: names.map((serial, index) => ({ serial, file: join(target, serial), mib: sizes[index] ?? 0 })),
      modules: [],
      programs: ["/sbin/mkfs.ext4", "/sbin/mkswap"],
      tree,
      script: make(...(names.map((name) => `$(device ${name})`) as [string])),
    }),
  );
  return names.map((name) => join(directory, name));
}

/** The first page of a file of an ext4, as `resume_offset=` names it. */
export async function firstPage(image: string, path: string): Promise<number> {
  const blockBytes = Number(/^Block size: +(\d+)$/m.exec(await run(["dumpe2fs", "-h", image]))?.[1]);
  const [block = ""] = (await run(["debugfs", "-R", `bmap ${path} 0`, image])).trim().split(/\s/);
  return (Number(block) * blockBytes) / PAGE_BYTES;
}
