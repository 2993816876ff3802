// What the recipes of docs/recipes.md make. Each is carried out once a process, when a test first asks for it.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { run } from "../command.ts";
import { assembleDisk, filesImage } from "../disk-images.ts";
import { rootImage } from "../filesystem-images.ts";
import { confWithModules, runInTools } from "../foreign-images.ts";
import { GUEST_WORDS } from "../guest-words.ts";
import { debianKernel } from "../kernels.ts";
import { HYBRID } from "../live-media.ts";
import { makeInGuest } from "../maker-guest.ts";
import { forGuest, recipeFile, recipeScript } from "./blocks.ts";
import { COPY_INIT, runOnRecipeMachine } from "./machine.ts";

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/** The image files of the recipe "memory". */
export const memory = once(async () => {
  const directory = scratchDirectory();
  await runOnRecipeMachine(recipeScript("memory"), directory);
  return { byHand: join(directory, "memory.img"), byLevain: join(directory, "memory-with-modules.img") };
});

/** The stick and the ISO file of the recipes "stick" and "live", which share a directory, and the files that they are made of. */
export const media = once(async () => {
  const directory = scratchDirectory();
  const work = join(directory, "stick");
  mkdirSync(work);
  for (const name of ["levain.conf", "syslinux.cfg"]) writeFileSync(join(work, name), forGuest(recipeFile(name)));
  writeFileSync(join(directory, ".hidden"), "");
  await runOnRecipeMachine(recipeScript("stick"), directory);
  await runOnRecipeMachine(forGuest(recipeScript("live")), directory);
  return {
    stick: join(directory, "sdX"),
    iso: join(work, "live.iso"),
    kernel: join(work, "vmlinuz"),
    image: join(work, "initrd.levain"),
  };
});

/** GRUB with the entry of the page, a disk with the files that it names, and another one with an empty partition and a root labelled OTHER. */
export const grubDisks = once(async () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "tree/boot/grub"), { recursive: true });
  writeFileSync(join(directory, "tree/boot/grub/grub.cfg"), `set timeout=0\n${forGuest(recipeFile("40_custom"))}`);
  await runOnRecipeMachine("grub-mkrescue --output grub.iso tree", directory);
  const { kernel, image } = await media();
  const boot = await filesImage("vfat", { "/boot/vmlinuz": kernel, "/boot/initrd.levain": image }, { label: "BOOT" });
  const root = await rootImage("ext4", { label: "OTHER" });
  return { grub: join(directory, "grub.iso"), boot, root: await assembleDisk([{}, { file: root }], { table: "gpt" }) };
});

/** An ISO file as live-build makes it, as far as the recipe "remaster" looks at it, with an image of initramfs-tools; and what the recipe makes of it. */
export const remaster = once(async () => {
  const directory = scratchDirectory();
  const { version, vmlinuz } = await debianKernel("cloud");
  const tree = join(directory, "tree");
  for (const name of ["live", "isolinux", "boot/grub"]) mkdirSync(join(tree, name), { recursive: true });
  // Those of the guest's drive, and those that live-boot's hook adds to the image.
  const modules = ["virtio_pci", "virtio_scsi", "sr_mod", "isofs", "loop", "squashfs", "overlay"];
  const mkinitramfs = `${confWithModules(modules)}; mkinitramfs -d conf -o /mnt/live/initrd.img ${version}`;
  await runInTools(await debianKernel("cloud"), mkinitramfs, tree);
  copyFileSync(vmlinuz, join(tree, "live/vmlinuz"));
  copyFileSync(await rootImage("squashfs-zstd"), join(tree, "live/filesystem.squashfs"));
  for (const name of ["isolinux.bin", "isohdpfx.bin"])
    copyFileSync(join("/usr/lib/ISOLINUX", name), join(tree, "isolinux", name));
  const append = `APPEND initrd=/live/initrd.img ${GUEST_WORDS} boot=live components`;
  writeFileSync(join(tree, "isolinux/isolinux.cfg"), `DEFAULT live\nLABEL live\nLINUX /live/vmlinuz\n${append}\n`);
  const xorriso = HYBRID.debian.replace("/usr/lib/ISOLINUX", "tree/isolinux").replaceAll(/\s+/g, " ");
  const make = `cp /usr/lib/syslinux/modules/bios/ldlinux.c32 tree/isolinux
    mkfs.vfat -C tree/boot/grub/efi.img 2048
    xorriso -as mkisofs -quiet ${xorriso} -o debian-live.iso tree`;
  await runOnRecipeMachine(make, directory);
  await runOnRecipeMachine(recipeScript("remaster"), directory);
  return join(directory, "levain-live.iso");
});

// The first partition of the disk, behind the table's MiB.
const FIRST_MIB = 8;

export const RECIPE_PASSPHRASE = "sourdough 1492";

const FAT_MODULES = ["fs/fat/fat.ko", "fs/fat/vfat.ko", "fs/nls/nls_cp437.ko", "fs/nls/nls_ascii.ko"];

/** The disk and the stick of the recipe "encrypt", carried out in a guest: partition 2 of the one, partition 1 of the other, and the parameters that it prints. */
export const encrypted = once(async () => {
  const directory = scratchDirectory();
  const file = (name: string): string => join(directory, name);
  const { modulesDir, version } = await debianKernel("cloud");
  const fat = FAT_MODULES.map(
    (name) => [`/lib/modules/${version}/kernel/${name}`, { file: join(modulesDir, "kernel", name) }] as const,
  );
  await makeInGuest({
    name: "an encrypted root with a key on a stick",
    disks: [
      { serial: "root", file: file("root"), mib: 400 },
      { serial: "stick", file: file("stick"), mib: 80 },
      { serial: "printed", file: file("printed"), mib: 1 },
    ],
    modules: ["dm-mod", "dm-crypt", "xts", "algif_skcipher", "vfat", "nls_cp437", "nls_ascii"],
    // BusyBox's shell would prefer its own applets to these.
    programs: [...["/sbin/sfdisk", "/sbin/cryptsetup", "/sbin/mkfs.ext4", "/sbin/mkfs.vfat", "/bin/cp", "/bin/dash"]],
    files: { "/sbin/init": { text: COPY_INIT }, ...Object.fromEntries(fat) },
    script: `echo 'size=${FIRST_MIB}M
,' | sfdisk -q --label gpt $(device root)
echo 'type=c' | sfdisk -q --label dos $(device stick)
ln -s $(device root)2 /dev/sdX2; ln -s $(device stick)1 /dev/sdY1
cat > /tmp/recipe <<'RECIPE'
${recipeScript("encrypt")}
RECIPE
echo '${RECIPE_PASSPHRASE}' | dash -eu /tmp/recipe > /tmp/printed
dd if=/tmp/printed of=$(device printed) 2> /dev/null`,
  });
  const printed = (await Bun.file(file("printed")).text()).replaceAll("\0", "").trim();
  const skip = `skip=${FIRST_MIB + 1}`;
  await run(["dd", `if=${file("root")}`, `of=${file("partition")}`, "bs=1M", skip, "conv=sparse", "status=none"]);
  return {
    root: file("root"),
    partition: file("partition"),
    stick: file("stick"),
    parameters: printed.split("\n").at(-1) ?? "",
  };
});
