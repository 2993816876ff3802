import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../cache.ts";
import { run, runScript } from "../command.ts";
import { PATIENT } from "../debian-system.ts";
import { LUKS_UUID, PASSPHRASE } from "../encrypted-volumes.ts";
import { debianKernel } from "../kernels.ts";
import { LVM_CONF } from "../lvm-disks.ts";
import { type MakerDisk, makeInGuest } from "../maker-guest.ts";
import { usedRanges } from "../used-ranges.ts";
import { REPORT_SCRIPT } from "./report.ts";
import { debianWithLvm } from "./tree.ts";

const IMAGE_MIB = 704;
const DISK_MIB = 1024;
const ARRAY_UUID = "1e7a1000:00000000:00000000:0000000a";

/** A Debian 12 on LVM, as its installer would set it up. */
interface Recipe {
  readonly disks: number;
  readonly group: string;
  /** Files of /etc. */
  readonly etc: Readonly<Record<string, string>>;
  /** Makes the group on these devices; then the volumes root, home and swap are there. */
  readonly make: (...devices: readonly string[]) => string;
  readonly close: string;
}

const fstab = (group: string) => `/dev/mapper/${group}-root / ext4 errors=remount-ro 0 1
/dev/mapper/${group}-home /home ext4 defaults 0 2
/dev/mapper/${group}-swap none swap sw 0 0
`;

/** Files of /etc that both systems have. */
const COMMON = {
  ...PATIENT,
  // lvm2 waits 5 s for an answer of dmeventd, which monitors a thin pool (_daemon_read of libdevmapper-event.c).
  "systemd/system/lvm2-monitor.service.d/patient.conf": "[Service]\nRestart=on-failure\n",
};

const RECIPES = {
  /** The group "sys" in a LUKS volume. */
  crypt: {
    disks: 1,
    group: "sys",
    etc: { fstab: fstab("sys"), crypttab: `vault UUID=${LUKS_UUID.vault} none luks,initramfs\n` },
    make: (disk) => `
      printf '%s' '${PASSPHRASE}' > /tmp/key
      cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid ${LUKS_UUID.vault} --key-file /tmp/key ${disk}
      cryptsetup open --key-file /tmp/key ${disk} vault
      lvm pvcreate -y /dev/mapper/vault; lvm vgcreate sys /dev/mapper/vault
      lvm lvcreate -y -n root -L ${IMAGE_MIB}M sys; lvm lvcreate -y -n home -L 32M sys; lvm lvcreate -y -n swap -L 32M sys`,
    close: "cryptsetup close vault",
  },
  /** The group "tank" on a mirror, with a thin pool. */
  thin: {
    disks: 2,
    group: "tank",
    etc: {
      fstab: fstab("tank"),
      crypttab: "",
      "mdadm/mdadm.conf": `HOMEHOST <system>\nMAILADDR root\nARRAY /dev/md/base metadata=1.2 UUID=${ARRAY_UUID} name=levain-debian:base\n`,
    },
    make: (one, other) => `
      mdadm -q --create /dev/md9 --run --assume-clean --homehost=levain-debian --name=base --uuid=${ARRAY_UUID} --metadata=1.2 --level=1 --raid-devices=2 ${one} ${other} </dev/null
      lvm pvcreate -y /dev/md9; lvm vgcreate tank /dev/md9
      lvm lvcreate -y --type thin-pool -n pool -L 800M tank
      lvm lvcreate -y -T -V ${IMAGE_MIB}M -n root tank/pool; lvm lvcreate -y -T -V 64M -n home tank/pool; lvm lvcreate -y -n swap -L 32M tank`,
    close: "mdadm -q --wait-clean /dev/md9; mdadm -q --stop /dev/md9",
  },
} as const satisfies Readonly<Record<string, Recipe>>;

type LvmSystem = keyof typeof RECIPES;

/** The disks of a system, and the image that Debian's initramfs-tools made for it. */
export interface DebianOnLvm {
  readonly group: string;
  readonly disks: readonly string[];
  readonly initrd: string;
  /** What initramfs-tools copies into that image: path → text. */
  readonly configuration: Readonly<Record<string, string>>;
}

// In namespaces that end with it: the hooks look into /proc and /sys.
const MAKE_INITRD = `
mount -t proc proc "$1/proc"; mount -t sysfs sysfs "$1/sys"; mount --bind /dev "$1/dev"; mount --bind "$2" "$1/mnt"
chroot "$1" mkinitramfs -o /mnt/initrd "$3"
`;

/** A Debian 12 on LVM. Minutes the first time; needs root. */
export async function debianOnLvm(name: LvmSystem): Promise<DebianOnLvm> {
  const recipe: Recipe = RECIPES[name];
  const made = await installed(name, recipe);
  const devices = Array.from({ length: recipe.disks }, (_, index) => `${name}${index}`);
  const key = recipeKey(recipe.make(...devices), recipe.close, LVM_CONF, IMAGE_MIB, DISK_MIB, made);
  const directory = await cached("debian-on-lvm", key, (target) =>
    fillDisks(recipe, devices, join(made, "image"), target),
  );
  const disks = devices.map((device) => join(directory, device));
  const files = Object.entries(recipe.etc).filter(([file, text]) => file !== "fstab" && text !== "");
  const configuration = Object.fromEntries(files.map(([file, text]) => [`/etc/${file}`, text]));
  return { group: recipe.group, disks, initrd: join(made, "initrd"), configuration };
}

/** The system with its configuration in the ext4 `image`, and the `initrd` that its own tools make. */
async function installed(name: LvmSystem, { etc }: Recipe): Promise<string> {
  const tree = await debianWithLvm();
  const { version } = await debianKernel("cloud");
  return cached(
    "debian-lvm-installed",
    `${name}-${recipeKey(MAKE_INITRD, REPORT_SCRIPT, COMMON, etc, tree)}`,
    async (target) => {
      const own = join(scratchDirectory(), "tree");
      await run(["cp", "-a", tree, own]);
      for (const [name, text] of Object.entries({ ...etc, ...COMMON })) {
        const file = join(own, "etc", name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
      writeFileSync(join(own, "usr/local/sbin/report"), REPORT_SCRIPT, { mode: 0o755 });
      const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
      await run([...apart, "/bin/sh", "-euc", MAKE_INITRD, "sh", own, target, version]);
      const image = join(target, "image");
      await runScript('truncate -s "$3M" "$2"; mkfs.ext4 -q -F -L debian -d "$1" "$2"', [own, image, `${IMAGE_MIB}`]);
    },
  );
}

async function fillDisks(recipe: Recipe, devices: readonly string[], image: string, target: string): Promise<void> {
  const { group, make, close } = recipe;
  const copies = (await usedRanges(image)).map(
    ({ start, count }) =>
      `dd if=$(device image) of=/dev/mapper/${group}-root bs=1M skip=${start} seek=${start} count=${count} conv=notrunc 2>/dev/null`,
  );
  const disks = devices.map((serial): MakerDisk => ({ serial, file: join(target, serial), mib: DISK_MIB }));
  await makeInGuest({
    name: `Debian on LVM, ${group}`,
    disks: [...disks, { serial: "image", file: image, readOnly: true }],
    modules: ["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher", "raid1", "dm-thin-pool"],
    programs: [
      "/usr/sbin/lvm",
      "/sbin/dmsetup",
      "/sbin/mkfs.ext4",
      "/sbin/mkswap",
      "/sbin/cryptsetup",
      "/usr/sbin/mdadm",
    ],
    files: { "/etc/lvm/lvm.conf": { text: LVM_CONF } },
    script: [
      make(...devices.map((serial) => `$(device ${serial})`)),
      ...copies,
      `mkfs.ext4 -q -L home /dev/mapper/${group}-home; mkswap -L swap /dev/mapper/${group}-swap`,
      `sync; lvm vgchange -an ${group}`,
      close,
    ].join("\n"),
  });
}
