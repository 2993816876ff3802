import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { runScript } from "./command.ts";
import { smallRoot } from "./root-tree.ts";

// mkfs.btrfs fills a filesystem of one device only, so this one is mounted here.
const MAKE = `
cd "$2"
i=0; files=
while [ $i -lt "$3" ]; do i=$((i + 1)); truncate -s 192M disk$i; files="$files disk$i"; done
mkfs.btrfs -q -L "$4" -d "$5" -m "$5" $files
mkdir mounted; loops=
leave() { umount mounted || true; for loop in $loops; do losetup -d $loop; done; rmdir mounted; }
trap leave EXIT
for file in $files; do loop=$(losetup -f --show $file); loops="$loops $loop"; btrfs device scan $loop; done
mount -t btrfs \${loops% *} mounted 2>/dev/null || mount -t btrfs \${loops##* } mounted
btrfs subvolume create mounted/@root
cp -a "$1/." mounted/@root/
`;

/** The disks of a btrfs with this profile ("raid1", "raid0", …) and label: the small root lies in its subvolume @root, and nothing beside it. */
export async function btrfsPool(profile: string, diskCount: number, label: string): Promise<readonly string[]> {
  const tree = await smallRoot();
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), tree, profile, diskCount, label);
  const directory = await cached("btrfs-pools", key, async (target) => {
    await runScript(MAKE, [tree, target, String(diskCount), label, profile]);
  });
  return Array.from({ length: diskCount }, (_, index) => join(directory, `disk${index + 1}`));
}
