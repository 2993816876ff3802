import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { keyFile } from "./encrypted-volumes.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const DISK_MIB = 64;
const KEY = "/keys/file";
const LUKS =
  "luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --luks2-metadata-size 16k --luks2-keyslots-size 2m --offset 8192";
/** What lvm.conf would say in a guest without udev. */
export const LVM_CONF =
  'devices { use_devicesfile=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 } global { use_lvmpolld=0 event_activation=0 thin_check_executable="" } backup { backup=0 archive=0 }';

export const LVM_LUKS_UUID = {
  below: "17a30000-0000-4000-8000-000000000001",
  above: "17a30000-0000-4000-8000-000000000002",
} as const;

const open = (uuid: string, device: string, name: string) =>
  `cryptsetup ${LUKS} --uuid ${uuid} --key-file ${KEY} ${device}; cryptsetup open --key-file ${KEY} ${device} ${name}\n`;
const fill = (label: string, device: string) => `mkfs.ext4 -q -L ${label} -d /tree ${device}; sync\n`;

/** The groups that lvm2 makes, by the label of the root in each: the disks, and the lines that make it. */
const GROUPS = {
  /** my-vg: a root over both disks, and another volume. */
  LINEAR: {
    disks: 2,
    script: (one: string, other: string) => `
      lvm pvcreate -y ${one} ${other}; lvm vgcreate my-vg ${one} ${other}
      lvm lvcreate -y -an -n other -l 2 my-vg
      lvm lvcreate -y -n root -l 16 my-vg
      ${fill("LINEAR", "/dev/mapper/my--vg-root")}
      lvm vgchange -an my-vg`,
  },
  /** rvg: a root mirrored on the first two disks. The third has a volume of its own, and a metadata area without its header. */
  RAID: {
    disks: 3,
    script: (one: string, two: string, three: string) => `
      lvm pvcreate -y ${one} ${two} ${three}; lvm vgcreate rvg ${one} ${two} ${three}
      lvm lvcreate -y --type raid1 --nosync -m 1 -n root -l 8 rvg ${one} ${two}; lvm lvcreate -y -n other -l 2 rvg ${three}
      ${fill("RAID", "/dev/mapper/rvg-root")}
      lvm vgchange -an rvg; dd if=/dev/zero of=${three} bs=512 seek=8 count=1 conv=notrunc`,
  },
  /** tvg: a thin root that has lvm2, a snapshot of it, a volume with an old snapshot. */
  THIN: {
    disks: 1,
    script: (one: string) => `
      lvm pvcreate -y ${one}; lvm vgcreate -s 1M tvg ${one}
      lvm lvcreate -y --type thin-pool -n pool -l 40 tvg; lvm lvcreate -y -T -V 100M -n root tvg/pool
      lvm lvcreate -y -Wn -n data -l 2 tvg; lvm lvcreate -y -s -n old -l 1 tvg/data
      cp -a /tree /with-lvm; mkdir -p /with-lvm/usr/sbin /with-lvm/etc/lvm /with-lvm/lib /with-lvm/lib64
      cp -a /usr/sbin/lvm /with-lvm/usr/sbin/; cp -a /sbin/dmsetup /with-lvm/sbin/; cp -a /lib64/. /with-lvm/lib64/
      cp -a /lib/x86_64-linux-gnu /with-lvm/lib/; mkdir -p /with-lvm/usr/lib; cp -a /usr/lib/x86_64-linux-gnu /with-lvm/usr/lib/ || true; cp -a /etc/lvm/lvm.conf /with-lvm/etc/lvm/
      mkfs.ext4 -q -L THIN -d /with-lvm /dev/mapper/tvg-root; sync
      lvm lvcreate -y -s -n before tvg/root
      lvm vgchange -an tvg`,
  },
  /** A mirror, in it LUKS, in it the group "crypted" with the thin volume "root". */
  INSIDE: {
    disks: 2,
    script: (one: string, other: string) => `
      mdadm -q --create /dev/md9 --run --homehost=maker --metadata=1.2 --level=1 --raid-devices=2 --assume-clean ${one} ${other} </dev/null
      ${open(LVM_LUKS_UUID.below, "/dev/md9", "below")}
      lvm pvcreate -y /dev/mapper/below; lvm vgcreate -s 1M crypted /dev/mapper/below
      lvm lvcreate -y --type thin-pool -n pool -l 40 crypted; lvm lvcreate -y -T -V 40M -n root crypted/pool
      ${fill("INSIDE", "/dev/mapper/crypted-root")}
      lvm vgchange -an crypted; cryptsetup close below; mdadm -q --stop /dev/md9`,
  },
  /** The group "plain" with the volume "secret", in it LUKS. */
  ABOVE: {
    disks: 1,
    script: (one: string) => `
      lvm pvcreate -y ${one}; lvm vgcreate plain ${one}; lvm lvcreate -y -n secret -l 100%FREE plain
      ${open(LVM_LUKS_UUID.above, "/dev/mapper/plain-secret", "above")}
      ${fill("ABOVE", "/dev/mapper/above")}
      cryptsetup close above; lvm vgchange -an plain`,
  },
} as const;

export type LvmLabel = keyof typeof GROUPS;

const serial = (label: string, index: number) => `${label}-${index}`.toLowerCase();
const serials = (label: LvmLabel) => Array.from({ length: GROUPS[label].disks }, (_, index) => serial(label, index));

/** The disks of a volume group of lvm2 with the small root in an ext4 of this label. All groups are made in one guest. */
export async function lvmDisks(label: LvmLabel): Promise<readonly string[]> {
  const [key, tree] = [await keyFile(), await smallRoot()];
  const labels = Object.keys(GROUPS) as readonly LvmLabel[];
  const directory = await cached("lvm-disks", recipeKey(readFileSync(import.meta.path, "utf8"), tree), (target) =>
    makeInGuest({
      name: "volume groups",
      disks: labels.flatMap(serials).map((name) => ({ serial: name, file: join(target, name), mib: DISK_MIB })),
      modules: [
        ...["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
        ...["raid1", "dm-raid", "dm-thin-pool", "dm-snapshot"],
      ],
      programs: ["/usr/sbin/lvm", "/sbin/dmsetup", "/usr/sbin/mdadm", "/sbin/mkfs.ext4", "/sbin/cryptsetup"],
      files: { [KEY]: { file: key }, "/etc/lvm/lvm.conf": { text: LVM_CONF } },
      tree,
      script: labels
        .map((one) => {
          const [first = "", second = "", third = ""] = serials(one).map((name) => `$(device ${name})`);
          return GROUPS[one].script(first, second, third);
        })
        .join("\n"),
    }),
  );
  return serials(label).map((name) => join(directory, name));
}
