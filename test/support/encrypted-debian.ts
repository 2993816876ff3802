import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { DEBIAN_UUID, debianRoot } from "./debian-root.ts";
import { encryptedDisks } from "./encrypted-disks.ts";
import { LUKS_UUID, PASSPHRASE } from "./encrypted-volumes.ts";
import { treeImage } from "./filesystem-images.ts";

// Every byte of it goes through an emulated cipher.
const IMAGE_MIB = 256;
const FSTAB = `UUID=${DEBIAN_UUID} / ext4 errors=remount-ro 0 1\n`;

/** A LUKS2 volume (`LUKS_UUID.vault`, `PASSPHRASE`) with Debian 12 and systemd in it, whose /etc/fstab mounts / by its UUID and checks it. */
export async function encryptedDebian(): Promise<string> {
  const image = await treeImage("ext4", await debianRoot(), { label: "debian", uuid: DEBIAN_UUID }, IMAGE_MIB);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), image, statSync(image).mtimeMs);
  const directory = await cached("images", `debian-fstab-${key}`, async (target) => {
    const [file, fstab] = [join(target, "image"), join(target, "fstab")];
    copyFileSync(image, file);
    writeFileSync(fstab, FSTAB);
    for (const command of ["rm /etc/fstab", `write ${fstab} /etc/fstab`])
      await run(["debugfs", "-w", "-R", command, file]);
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
