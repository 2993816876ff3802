import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const DISK_MIB = 192;

/** The disks of a btrfs with this profile ("raid1", "raid0", …) and label: the small root is in its subvolume @root, and nothing beside it. */
export async function btrfsPool(profile: string, diskCount: number, label: string): Promise<readonly string[]> {
  const tree = await smallRoot();
  const names = Array.from({ length: diskCount }, (_, index) => `disk${index + 1}`);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), tree, profile, diskCount, label);
  const directory = await cached("btrfs-pools", key, async (target) => {
    // mkfs.btrfs fills a filesystem of one device only, so this one is mounted.
    const script = `
      devices=; options=
      for name in ${names.join(" ")}; do device=$(device $name); devices="$devices $device"; options="$options,device=$device"; done
      mkfs.btrfs -q -L '${label}' -d ${profile} -m ${profile} $devices
      mount -t btrfs -o "\${options#,}" $device /mnt
      btrfs subvolume create /mnt/@root
      cp -a /tree/. /mnt/@root/
      umount /mnt`;
    await makeInGuest({
      name: `btrfs ${label}`,
      disks: names.map((name) => ({ serial: name, file: join(target, name), mib: DISK_MIB })),
      modules: ["btrfs"],
      programs: ["/sbin/mkfs.btrfs", "/bin/btrfs"],
      tree,
      script,
    });
  });
  return names.map((name) => join(directory, name));
}
