import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { type MakerDisk, makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const DISK_MIB = 64;

/** The arrays that mdadm makes, by the label of the root in each, and how many disks they have. */
const ARRAYS = {
  MIRROR: { disks: 2, options: "--metadata=1.2 --level=1 --name=system" },
  /** The second disk was absent when the root was written to last. */
  STALE: { disks: 2, options: "--metadata=1.0 --level=1 --bitmap=internal" },
  FIVE: { disks: 3, options: "--metadata=0.90 --level=5" },
  TEN: { disks: 4, options: "--metadata=1.1 --level=10" },
  /** The root is a partition of the array. */
  PARTED: { disks: 2, options: "--metadata=1.2 --level=0" },
  /** A mirror in a container of DDF, which has 32 MiB of its own on each disk. */
  DDF: { disks: 2, options: "--level=1" },
} as const;

export type RaidLabel = keyof typeof ARRAYS;

const serial = (label: string, index: number) => `${label}-${index}`.toLowerCase();

function commandsFor(label: RaidLabel): string {
  const { disks, options } = ARRAYS[label];
  const devices = Array.from({ length: disks }, (_, index) => `$(device ${serial(label, index)})`).join(" ");
  const target = label === "PARTED" ? "/dev/md9p1" : "/dev/md9";
  const container = label === "DDF" ? "/dev/md8" : "";
  return `
    ${container === "" ? "" : `mdadm -q --create ${container} --run --metadata=ddf --raid-devices=${disks} ${devices} </dev/null`}
    mdadm -q --create /dev/md9 --run --homehost=maker ${options} --raid-devices=${disks} --assume-clean ${container === "" ? devices : container} </dev/null
    ${label === "PARTED" ? `printf 'label: gpt\\nstart=2048\\n' | sfdisk -q /dev/md9; until [ -b ${target} ]; do sleep 0.1; done` : ""}
    mkfs.ext4 -q -L ${label} -d /tree ${target}
    ${label === "STALE" ? `mdadm -q /dev/md9 --fail $(device ${serial(label, 1)}); mount ${target} /mnt; echo new > /mnt/new; umount /mnt` : ""}
    sync; mdadm -q --wait-clean /dev/md9; mdadm -q --stop /dev/md9 ${container}`;
}

/** The disks of an array of mdadm with the small root in an ext4 of this label. All arrays are made in one guest. */
export async function raidDisks(label: RaidLabel): Promise<readonly string[]> {
  const tree = await smallRoot();
  const labels = Object.keys(ARRAYS) as readonly RaidLabel[];
  const names = (one: RaidLabel) => Array.from({ length: ARRAYS[one].disks }, (_, index) => serial(one, index));
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), tree);
  const directory = await cached("raid-disks", key, async (target) => {
    const disks = labels
      .flatMap(names)
      .map((name): MakerDisk => ({ serial: name, file: join(target, name), mib: DISK_MIB }));
    await makeInGuest({
      name: "arrays",
      disks,
      modules: ["raid0", "raid1", "raid10", "raid456"],
      programs: ["/usr/sbin/mdadm", "/usr/sbin/mdmon", "/sbin/mkfs.ext4", "/sbin/sfdisk"],
      tree,
      script: labels.map(commandsFor).join("\n"),
    });
  });
  return names(label).map((name) => join(directory, name));
}
