import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { run } from "./command.ts";
import { keyFile } from "./encrypted-volumes.ts";
import { guestPrograms } from "./guest-programs.ts";
import { LVM_CONF } from "./lvm-disks.ts";
import { makeInGuest } from "./maker-guest.ts";
import { type RootChanges, smallRoot } from "./root-tree.ts";

/** The key file, also in the root of a system that has its swap space alone in a volume. */
export const KEY = "/keys/file";
const LVM_FILES = { "/etc/lvm/lvm.conf": { text: LVM_CONF } };
const PAGE_BYTES = 4096;
/** The UUID of the LUKS headers. */
export const HIBERNATION_LUKS = "6c657661-696e-4000-8000-00000000d15c";

const luks = (device: string) => `
  cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid ${HIBERNATION_LUKS} --key-file ${KEY} ${device}
  cryptsetup open --key-file ${KEY} ${device} vault`;
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
  /** A swap space in LUKS, and a root outside of it. */
  luks: {
    sizes: [64, 256],
    make: (root: string, swap: string) => `
      ${ROOT} ${root}
      ${luks(swap)}; mkswap -L SWAP /dev/mapper/vault; cryptsetup close vault`,
  },
  /** Both in a volume group in LUKS, as installers set it up. */
  lvm: {
    sizes: [352],
    make: (disk: string) => `
      ${luks(disk)}; lvm pvcreate -y /dev/mapper/vault; lvm vgcreate vg0 /dev/mapper/vault
      lvm lvcreate -y -n root -L 64M vg0; lvm lvcreate -y -n swap -L 240M vg0
      ${ROOT} /dev/mapper/vg0-root; mkswap -L SWAP /dev/mapper/vg0-swap
      sync; lvm vgchange -an vg0; cryptsetup close vault`,
  },
} as const;

/** The name of a stack. */
export type HibernationStack = keyof typeof STACKS;

/** What opens the swap space in the real system: levain closes again what the root is not in. */
async function openers(stack: HibernationStack): Promise<RootChanges> {
  if (stack === "luks") return { ...(await guestPrograms("/sbin/cryptsetup")), [KEY]: { file: await keyFile() } };
  if (stack === "lvm") return { ...(await guestPrograms("/usr/sbin/lvm")), ...LVM_FILES };
  return {};
}

/** The disks of a system that can hibernate. The key file of `keyFile` opens what is encrypted. */
export async function hibernationDisks(stack: HibernationStack): Promise<readonly string[]> {
  const tree = await smallRoot(await openers(stack));
  const { sizes, make } = STACKS[stack];
  const names = sizes.map((_, index) => `${stack}${index}`);
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), stack, tree);
  const directory = await cached("hibernation-disks", key, async (target) =>
    makeInGuest({
      name: `systems that can hibernate, ${stack}`,
      disks: names.map((serial, index) => ({ serial, file: join(target, serial), mib: sizes[index] ?? 0 })),
      modules: ["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
      programs: ["/usr/sbin/lvm", "/sbin/mkfs.ext4", "/sbin/cryptsetup", "/sbin/mkswap"],
      files: { [KEY]: { file: await keyFile() }, ...LVM_FILES },
      tree,
      script: make(...(names.map((name) => `$(device ${name})`) as [string, string])),
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
