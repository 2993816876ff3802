import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { downloadPackages, withApt } from "./debian-packages.ts";
import { DEBIAN_UUID, installDebian } from "./debian-root.ts";
import { PATIENT } from "./debian-system.ts";
import { LUKS_UUID, PASSPHRASE } from "./encrypted-volumes.ts";
import { treeImage } from "./filesystem-images.ts";
import { LVM_CONF } from "./lvm-disks.ts";
import { makeInGuest } from "./maker-guest.ts";
import { usedRanges } from "./used-ranges.ts";

/** Debian with kernels, initramfs-tools and a boot partition's room. */
const PACKAGES = "systemd-sysv,udev,initramfs-tools,busybox-static";
const IMAGE_MIB = 2048;
// Each byte of this one is encrypted by an emulated processor.
const CRYPT_ROOT_MIB = 1536;
const CRYPT_BOOT_MIB = 400;
// Images with the modules for its disk alone: mkinitramfs copies 700 otherwise, each time it runs.
const FEW_MODULES = {
  "etc/initramfs-tools/conf.d/few": "MODULES=list\n",
  "etc/initramfs-tools/hooks/few": `#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk ext4
`,
};
// As debian-root.ts, without what apt and dpkg would miss.
const CONFIGURE = `
cd "$1"
rm -rf var/cache/apt/*.bin usr/share/doc usr/share/man usr/share/locale dev/*
echo levain-debian > etc/hostname
sed -i 's/^root:[^:]*:/root::/' etc/shadow
`;

/** How Debian's installer lays a system out: on one ext4, or with "encrypted LVM" and a boot partition. */
export type KernelStorage = "ext4" | "crypt";

const LAYOUTS = {
  ext4: { packages: PACKAGES, etc: { fstab: `UUID=${DEBIAN_UUID} / ext4 errors=remount-ro 0 1\n` } },
  crypt: {
    packages: `${PACKAGES},lvm2,cryptsetup-initramfs`,
    etc: {
      fstab: "/dev/mapper/sys-root / ext4 errors=remount-ro 0 1\nLABEL=boot /boot ext4 defaults 0 2\n",
      // initramfs: where the image is made first, update-initramfs cannot see the volume.
      crypttab: `vault UUID=${LUKS_UUID.vault} none luks,initramfs\n`,
    },
  },
} as const;

/** A Debian whose boot partition a boot loader would read: its disks, the last one with the kernels, and the package of a newer kernel. */
export interface KernelDebian {
  readonly disks: readonly string[];
  /** The directory of kernels on the last disk. */
  readonly boot: "/boot" | "/";
  /** What root= names. */
  readonly root: string;
  readonly version: string;
  readonly newer: { readonly version: string; readonly deb: string };
}

const numberOf = (version: string) => Number(/-(\d+)-/.exec(version)?.[1]);
const newestFirst = (one: string, other: string) => numberOf(other) - numberOf(one);

/** Debian's two newest small kernels, as `uname -r` prints them, the older first. */
async function kernelVersions(): Promise<readonly [string, string]> {
  const names = await withApt((options) => run(["apt-cache", ...options.slice(1), "pkgnames", "linux-image-"]));
  const known = names
    .split("\n")
    .flatMap((name) => /^linux-image-(\d[\d.]*-(\d+)-cloud-amd64)$/.exec(name)?.slice(1) ?? []);
  const versions = known.filter((_, index) => index % 2 === 0);
  const [newer, older] = versions.sort(newestFirst);
  if (newer === undefined || older === undefined) throw new Error(`apt knows no two kernels: ${names}`);
  return [older, newer];
}

/** A Debian 12 with systemd, initramfs-tools and a kernel, as apt installs them. Needs root; minutes the first time. */
export async function kernelDebian(storage: KernelStorage): Promise<KernelDebian> {
  const [version, newer] = await kernelVersions();
  const { packages, etc } = LAYOUTS[storage];
  const key = recipeKey(packages, etc, PATIENT, FEW_MODULES, CONFIGURE, version, newer);
  const directory = await cached("kernel-debian", key, async (target) => {
    const tree = join(target, "tree");
    const files = Object.entries({ ...etc, ...PATIENT }).map(([name, text]) => [`etc/${name}`, text] as const);
    for (const [path, text] of [...files, ...Object.entries(FEW_MODULES)]) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text, { mode: path.includes("hooks") ? 0o755 : 0o644 });
    }
    await installDebian(tree, `${packages},linux-image-${version}`);
    await runScript(CONFIGURE, [tree]);
    // The base system's own is empty.
    writeFileSync(join(tree, "etc/fstab"), etc.fstab);
    mkdirSync(join(target, "deb"));
    await downloadPackages([`linux-image-${newer}`], join(target, "deb"));
    if (storage === "crypt") {
      renameSync(join(tree, "boot"), join(target, "boot"));
      mkdirSync(join(tree, "boot"));
    }
  });
  const [deb = ""] = readdirSync(join(directory, "deb"));
  const common = { version, newer: { version: newer, deb: join(directory, "deb", deb) } };
  const tree = join(directory, "tree");
  if (storage === "ext4") {
    const disk = await treeImage("ext4", tree, { uuid: DEBIAN_UUID }, IMAGE_MIB);
    return { disks: [disk], boot: "/boot", root: `UUID=${DEBIAN_UUID}`, ...common };
  }
  const boot = await treeImage("ext4", join(directory, "boot"), { label: "boot" }, CRYPT_BOOT_MIB);
  return { disks: [await encryptedDisk(tree), boot], boot: "/", root: "/dev/mapper/sys-root", ...common };
}

/** The volume group "sys" in LUKS, with the filesystem of `tree` in its volume "root". */
async function encryptedDisk(tree: string): Promise<string> {
  const image = await treeImage("ext4", tree, {}, CRYPT_ROOT_MIB);
  const copies = (await usedRanges(image)).map(
    ({ start, count }) =>
      `dd if=$(device image) of=/dev/sys/root bs=1M skip=${start} seek=${start} count=${count} conv=notrunc 2>/dev/null`,
  );
  const script = `
    printf '%s' '${PASSPHRASE}' > /tmp/key
    cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid ${LUKS_UUID.vault} --key-file /tmp/key $(device vault)
    cryptsetup open --key-file /tmp/key $(device vault) vault
    lvm pvcreate -y /dev/mapper/vault; lvm vgcreate sys /dev/mapper/vault
    lvm lvcreate -y -n root -L ${CRYPT_ROOT_MIB}M sys
    ${copies.join("\n")}
    sync; lvm vgchange -an sys; cryptsetup close vault`;
  const directory = await cached("kernel-debian-disk", recipeKey(script, image), (target) =>
    makeInGuest({
      name: "Debian on encrypted LVM",
      disks: [
        { serial: "vault", file: join(target, "vault"), mib: CRYPT_ROOT_MIB + 64 },
        { serial: "image", file: image, readOnly: true },
      ],
      modules: ["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
      programs: ["/usr/sbin/lvm", "/sbin/cryptsetup"],
      files: { "/etc/lvm/lvm.conf": { text: LVM_CONF } },
      script,
    }),
  );
  return join(directory, "vault");
}

/** Reads the newest kernel and its image from a directory of an ext4 disk, as a boot loader does. */
export async function readBootDirectory(disk: string, directory: KernelDebian["boot"]) {
  const listing = await run(["debugfs", "-R", `ls -p ${directory}`, disk]);
  const versions = [...listing.matchAll(/\/vmlinuz-([^/]+)\//g)].map(([, version = ""]) => version);
  const [version = ""] = versions.sort(newestFirst);
  const target = scratchDirectory();
  const [kernel, initrd] = [join(target, "vmlinuz"), join(target, "initrd")];
  await run(["debugfs", "-R", `dump ${join(directory, `vmlinuz-${version}`)} ${kernel}`, disk]);
  await run(["debugfs", "-R", `dump ${join(directory, `initrd.img-${version}`)} ${initrd}`, disk]);
  return { version, kernel: { file: kernel }, initrd };
}
