import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { filesImage } from "./disk-images.ts";
import { makeInGuest } from "./maker-guest.ts";

/** Filesystems with a journal or a log of another kind. */
export const JOURNALLED = ["ext4", "xfs", "btrfs", "f2fs", "nilfs2"] as const;
type Journalled = (typeof JOURNALLED)[number];

/** How a filesystem is made that the guest fills, with the label as the last word. */
const EMPTY: Readonly<Partial<Record<Journalled, readonly string[]>>> = {
  f2fs: ["mkfs.f2fs", "-q", "-l"],
  nilfs2: ["mkfs.nilfs2", "-q", "-L"],
};
const EMPTY_MIB = 160;
const MODULES = ["mbcache.ko", "jbd2", "ext4", "xfs", "f2fs", "nilfs2"].map((name) => `fs/${name}`);

/**
 * Disks with these filesystems as a machine leaves them whose power failed: labelled as their types in capitals, each with the file
 * /etc/TYPE, and `files` on those that a tool can fill (path in it → file on the host). After the last sync, another file was
 * written by fsync, which a journal or log holds alone.
 */
export async function uncleanDisks(
  files: Readonly<Partial<Record<Journalled, Readonly<Record<string, string>>>>>,
): Promise<Readonly<Record<Journalled, string>>> {
  const sources = ["unclean-disks.ts", "maker-guest.ts"].map((name) =>
    readFileSync(join(import.meta.dir, name), "utf8"),
  );
  const directory = await cached("unclean-disks", recipeKey(sources, files), async (target) => {
    const disks = await Promise.all(
      JOURNALLED.map(async (type) => ({
        serial: type,
        file: join(target, type),
        copyOf: await cleanImage(type, join(target, `${type}.clean`), files[type]),
      })),
    );
    // The last sync comes before the first fsync: it empties the log tree of every btrfs.
    const script = [...JOURNALLED.map(fillScript), "sync", ...JOURNALLED.map(writeLast)];
    const end = 'trap - EXIT; echo "maker: made"; poweroff -n -f';
    const job = {
      name: "unclean disks",
      kernel: "full",
      modules: JOURNALLED,
      moduleDirectories: MODULES,
      programs: [],
    } as const;
    await makeInGuest({ ...job, disks, script: [...script, end].join("\n") });
  });
  return Object.fromEntries(JOURNALLED.map((type) => [type, join(directory, type)])) as Record<Journalled, string>;
}

async function cleanImage(
  type: Journalled,
  image: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const label = type.toUpperCase();
  const [program, ...words] = EMPTY[type] ?? [];
  if (program === undefined) return filesImage(type as "ext4", files, { label });
  await run(["truncate", "-s", `${EMPTY_MIB}M`, image]);
  await run([program, ...words, label, image]);
  return image;
}

function fillScript(type: Journalled): string {
  const mount = `mkdir -p /mnt/${type}; mount -t ${type} $(device ${type}) /mnt/${type}`;
  return `${mount}; mkdir -p /mnt/${type}/etc; echo ${type} >/mnt/${type}/etc/${type}`;
}

function writeLast(type: Journalled): string {
  return `dd if=/dev/zero of=/mnt/${type}/late bs=4k count=1 conv=fsync`;
}
