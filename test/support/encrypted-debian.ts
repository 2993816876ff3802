import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { copyDisk } from "./copy-disk.ts";
import { DEBIAN_UUID, debianRoot } from "./debian-root.ts";
import { encryptedDisks } from "./encrypted-disks.ts";
import { LUKS_UUID, PASSPHRASE } from "./encrypted-volumes.ts";
import { treeImage } from "./filesystem-images.ts";

// Every byte of it goes through an emulated cipher.
const IMAGE_MIB = 256;
/** By their paths in the root; debugfs(8) puts them there. */
const FILES = {
  "/etc/fstab": `UUID=${DEBIAN_UUID} / ext4 errors=remount-ro 0 1\n`,
  "/etc/crypttab": `vault UUID=${LUKS_UUID.vault} none luks\n`,
} as const;

/**
 * A LUKS2 volume (`LUKS_UUID.vault`, `PASSPHRASE`) with Debian 12 and systemd in it, whose /etc/fstab mounts / by its UUID and
 * checks it, and whose /etc/crypttab calls the volume "vault".
 */
export async function encryptedDebian(): Promise<string> {
  const image = await treeImage("ext4", await debianRoot(), { label: "debian", uuid: DEBIAN_UUID }, IMAGE_MIB);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image, statSync(image).mtimeMs);
  const directory = await cached("images", `debian-fstab-${key}`, async (target) => {
    const file = join(target, "image");
    copyDisk(image, file);
    for (const [path, text] of Object.entries(FILES)) {
      const source = join(target, basename(path));
      writeFileSync(source, text);
      for (const command of [`rm ${path}`, `write ${source} ${path}`])
        await run(["debugfs", "-w", "-R", command, file]);
    }
  });
  const { debian } = await encryptedDisks({
    debian: {
      type: "luks2",
      options: `--uuid ${LUKS_UUID.vault}`,
      keys: [PASSPHRASE],
      inside: join(directory, "image"),
    },
  });
  return debian.volume;
}
