import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

/** A backing device with the small root in an ext4, and its cache, which holds data that are nowhere else (writeback). */
export interface BcacheDisks {
  readonly backing: string;
  readonly cache: string;
}

export async function bcacheDisks(): Promise<BcacheDisks> {
  const tree = await smallRoot();
  const directory = await cached("bcache-disks", recipeKey(readFileSync(import.meta.path, "utf8"), tree), (target) =>
    makeInGuest({
      name: "bcache",
      disks: ["backing", "cache"].map((serial) => ({ serial, file: join(target, serial), mib: 80 })),
      modules: ["bcache"],
      programs: ["/usr/sbin/make-bcache", "/sbin/mkfs.ext4"],
      tree,
      // The kernel refuses a cache of less than 1024 buckets (EPERM). Written past the cache at first; then "new" stays in it, because the kernel writes back what is older than 30 s only.
      script: `
        make-bcache --writeback --bucket 64k -B $(device backing) -C $(device cache)
        echo $(device cache) > /sys/fs/bcache/register; echo $(device backing) > /sys/fs/bcache/register
        until [ -b /dev/bcache0 ]; do sleep 0.1; done
        cd /sys/block/bcache0/bcache; until [ "$(cat state)" = clean ] || [ "$(cat state)" = dirty ]; do sleep 0.1; done
        mkfs.ext4 -q -L CACHED -d /tree /dev/bcache0; sync
        echo 0 > writeback_running; echo 0 > sequential_cutoff
        mount /dev/bcache0 /mnt; echo fresh > /mnt/new; umount /mnt; sync; cat state; [ "$(cat state)" = dirty ]`,
    }),
  );
  return { backing: join(directory, "backing"), cache: join(directory, "cache") };
}
