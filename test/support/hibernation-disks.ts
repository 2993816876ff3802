import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { copyDisk } from "./copy-disk.ts";
import { keyFile } from "./encrypted-volumes.ts";
import { LVM_CONF } from "./lvm-disks.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const KEY = "/keys/file";
const SWAP_MIB = 256;

/** The UUID of the LUKS header of `encryptedDisk`. */
export const SLEEP_LUKS_UUID = "17a30000-0000-4000-8000-000000000003";

/** A disk as installers leave it: LUKS, in it the group "system" with the volumes "root" (ext4) and "swap". Returns a copy to write to. */
export async function encryptedDisk(): Promise<string> {
  const [key, tree] = [await keyFile(), await smallRoot()];
  const recipe = recipeKey(readFileSync(import.meta.path, "utf8"), tree);
  const directory = await cached("hibernation-disks", recipe, (target) =>
    makeInGuest({
      name: "a disk to hibernate on",
      disks: [{ serial: "sleep", file: join(target, "disk"), mib: SWAP_MIB + 96 }],
      modules: ["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
      programs: ["/usr/sbin/lvm", "/sbin/mkfs.ext4", "/sbin/cryptsetup"],
      files: { [KEY]: { file: key }, "/etc/lvm/lvm.conf": { text: LVM_CONF } },
      tree,
      script: `
        disk=$(device sleep)
        cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --luks2-metadata-size 16k \\
          --luks2-keyslots-size 2m --offset 8192 --uuid ${SLEEP_LUKS_UUID} --key-file ${KEY} $disk
        cryptsetup open --key-file ${KEY} $disk crypted
        lvm pvcreate -y /dev/mapper/crypted; lvm vgcreate system /dev/mapper/crypted
        lvm lvcreate -y -n swap -L ${SWAP_MIB}M system; lvm lvcreate -y -n root -l 100%FREE system
        mkswap /dev/mapper/system-swap; mkfs.ext4 -q -L ROOT -d /tree /dev/mapper/system-root; sync
        lvm vgchange -an system; cryptsetup close crypted`,
    }),
  );
  const copy = join(scratchDirectory(), "encrypted");
  copyDisk(join(directory, "disk"), copy);
  return copy;
}

/** An ext4 with the small root and a swap file, and the number of the file's first block, which is what `resume_offset=` takes. */
export interface SwapFileDisk {
  readonly file: string;
  readonly offset: number;
}

/** Makes such a disk, to write to. */
export async function swapFileDisk(): Promise<SwapFileDisk> {
  const directory = scratchDirectory();
  const [swap, file] = [join(directory, "swapfile"), join(directory, "root")];
  // Not a byte of it may be zero, or mke2fs would leave a hole.
  writeFileSync(swap, Buffer.alloc(SWAP_MIB << 20, 1));
  await run(["mkswap", "-q", swap]);
  await runScript(
    'cp -a "$1" "$2/tree"; mv "$3" "$2/tree/swapfile"; chmod 600 "$2/tree/swapfile"; mke2fs -q -t ext4 -b 4096 -L ROOT -d "$2/tree" "$4" 400M',
    [await smallRoot(), directory, swap, file],
  );
  rmSync(join(directory, "tree"), { recursive: true });
  const offset = Number((await run(["debugfs", "-R", "bmap /swapfile 0", file])).trim());
  return { file, offset };
}
