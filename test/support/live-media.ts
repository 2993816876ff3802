import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import { filesImage } from "./disk-images.ts";
import { type ImageNames, rootImage, treeImage } from "./filesystem-images.ts";

/** The medium that a project's own tool makes, as far as a boot looks at it: an ISO with these files, and a README. */
async function isoMedium(files: Readonly<Record<string, string>>, names: ImageNames): Promise<string> {
  return filesImage("iso9660", { "/README.txt": await textFile("a live medium\n"), ...files }, names);
}

/** live-build's: /live/filesystem.squashfs, or other images and lists in that directory (live-boot(7) of live-boot-doc, "live-media-path"). */
export async function debianIso(images?: Readonly<Record<string, string>>): Promise<string> {
  const all = images ?? { "filesystem.squashfs": await rootImage("squashfs-xz") };
  const files = Object.entries(all).map(([name, file]) => [`/live/${name}`, file] as const);
  return isoMedium(Object.fromEntries(files), { label: "d-live 12.5.0 st amd64" });
}

export const FEDORA_LABEL = "Fedora-WS-Live-39-1-5";

/** Fedora's: /LiveOS/squashfs.img, which holds LiveOS/rootfs.img (https://fedoraproject.org/wiki/LiveOS_image; "Booting live images" of dracut.cmdline(7)). */
export async function fedoraIso(): Promise<string> {
  const files = { "/LiveOS/rootfs.img": await rootImage("ext4", { label: "Anaconda" }) };
  return isoMedium({ "/LiveOS/squashfs.img": await filesImage("squashfs-xz", files) }, { label: FEDORA_LABEL });
}

/** Ubuntu's: layers in /casper, each named after the one below it, and /.disk with the UUID of the medium (casper(7), "layerfs-path"). */
export async function ubuntuIso(uuid: string): Promise<string> {
  const files = {
    "/.disk/casper-uuid-generic": await textFile(`${uuid}\n`),
    "/casper/minimal.squashfs": await rootImage("squashfs-xz"),
    "/casper/minimal.standard.squashfs": await layerImage({ "etc/layer": "standard\n", "etc/desktop": "yes\n" }),
    "/casper/minimal.standard.live.squashfs": await layerImage({ "etc/layer": "live\n" }),
    "/casper/minimal.de.squashfs": await layerImage({ "etc/layer": "another language\n" }),
    "/casper/minimal.standard.live.manifest": await textFile("casper\t1.498\n"),
  };
  return isoMedium(files, { label: "Ubuntu 24.04 LTS amd64" });
}

export const ARCH = { uuid: "2025-11-01-10-20-30-00", label: "ARCH_202511" };

/** mkarchiso's: /arch/x86_64/airootfs.erofs, and the file that its boot menu searches for (README.profile.rst of archiso, docs/README.bootparams of mkinitcpio-archiso). */
export async function archIso(): Promise<string> {
  const image = await rootImage("erofs");
  const marker = await textFile("\n");
  return isoMedium({ "/arch/x86_64/airootfs.erofs": image, [`/boot/${ARCH.uuid}.uuid`]: marker }, ARCH);
}

/** A squashfs with nothing but these text files: a layer for over a root. */
export function layerImage(files: Readonly<Record<string, string>>): Promise<string> {
  return treeImage("squashfs-zstd", textTree(files));
}

export function textTree(files: Readonly<Record<string, string>>): string {
  const tree = scratchDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

/** A file with this text, the same each time it is asked for. */
export async function textFile(text: string): Promise<string> {
  const directory = await cached("texts", recipeKey(text), (target) => {
    writeFileSync(join(target, "text"), text);
    return Promise.resolve();
  });
  return join(directory, "text");
}

/** How live-build, Fedora's lorax and mkarchiso call xorriso, so that the ISO is a stick's image too: $1 is the tree, $2 the image. */
export const HYBRID = {
  debian: `-R -r -J -joliet-long -l -cache-inodes -iso-level 3 -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -partition_offset 16
    -A "Debian Live" -publisher "Debian Live project; https://wiki.debian.org/DebianLive" -V "d-live 12.5.0 st amd64"
    -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table
    -eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot -isohybrid-gpt-basdat -isohybrid-apm-hfsplus`,
  fedora: `-iso-level 3 -graft-points -rational-rock -J -joliet-long -V ${FEDORA_LABEL} -partition_offset 16
    -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$1/boot/grub/efi.img" -appended_part_as_gpt
    -iso_mbr_part_type EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 -c boot.cat --boot-catalog-hide
    -b isolinux/isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table
    -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot`,
  arch: `-no-pad -iso-level 3 -full-iso9660-filenames -joliet -joliet-long -rational-rock -volid ${ARCH.label}
    --modification-date=$(echo ${ARCH.uuid} | tr -d -) -appid "Arch Linux Live/Rescue DVD" -partition_offset 16
    -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin --mbr-force-bootable
    -eltorito-boot isolinux/isolinux.bin -eltorito-catalog isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table
    -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$1/boot/grub/efi.img" -appended_part_as_gpt
    -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot`,
} as const;

/** An ISO of a project with its boot loaders' parts, to be written to a stick as it is: partition 1 is the filesystem once more, partition 2 is for EFI. */
export async function hybridIso(kind: keyof typeof HYBRID): Promise<string> {
  const image = await rootImage("squashfs-xz");
  const place = { debian: "live/filesystem.squashfs", fedora: "LiveOS/squashfs.img", arch: "arch/x86_64/airootfs.sfs" };
  const directory = scratchDirectory();
  const script = `mkdir -p "$1/boot/grub" "$1/isolinux" "$1/$(dirname "$4")"
    cp "$3" "$1/$4"; cp /usr/lib/ISOLINUX/isolinux.bin "$1/isolinux/"; echo > "$1/boot/${kind === "arch" ? `${ARCH.uuid}.uuid` : "README"}"
    mkfs.vfat -C "$1/boot/grub/efi.img" 2048 > /dev/null
    xorriso -as mkisofs -quiet ${HYBRID[kind].replaceAll(/\s+/g, " ")} -o "$2" "$1"`;
  await runScript(script, [join(directory, "tree"), join(directory, "iso"), image, place[kind]]);
  return join(directory, "iso");
}
