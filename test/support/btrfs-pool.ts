import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const DISK_MIB = 192;

/** The filesystems that mkfs.btrfs makes, by their labels. */
const POOLS = {
  POOL: { disks: 2, profile: "raid1" },
  TRIO: { disks: 3, profile: "raid1" },
  ONE: { disks: 1, profile: "single" },
} as const;

export type BtrfsLabel = keyof typeof POOLS;

function serials(label: BtrfsLabel): readonly string[] {
  return Array.from({ length: POOLS[label].disks }, (_, index) => `${label}-${index}`.toLowerCase());
}

// mkfs.btrfs fills a filesystem of one device only, so these are mounted.
function commandsFor(label: BtrfsLabel): string {
  const { profile } = POOLS[label];
  const devices = serials(label).map((serial) => `$(device ${serial})`);
  return `
    mkfs.btrfs -q -L ${label} -d ${profile} -m ${profile} ${devices.join(" ")}
    mount -t btrfs -o ${devices.map((device) => `device=${device}`).join(",")} ${devices[0]} /mnt
    btrfs subvolume create /mnt/@root
    cp -a /tree/. /mnt/@root/
    umount /mnt`;
}

/** The disks of a btrfs with this label: the small root is in its subvolume @root, and nothing beside it. All are made in one guest. */
export async function btrfsPool(label: BtrfsLabel): Promise<readonly string[]> {
  const tree = await smallRoot();
  const labels = Object.keys(POOLS) as readonly BtrfsLabel[];
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), tree);
  const directory = await cached("btrfs-pools", key, (target) =>
    makeInGuest({
      name: "btrfs",
      disks: labels.flatMap(serials).map((serial) => ({ serial, file: join(target, serial), mib: DISK_MIB })),
      modules: ["btrfs"],
      programs: ["/sbin/mkfs.btrfs", "/bin/btrfs"],
      tree,
      script: labels.map(commandsFor).join("\n"),
    }),
  );
  return serials(label).map((serial) => join(directory, serial));
}
