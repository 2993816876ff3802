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
  "devices { use_devicesfile=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 } global { use_lvmpolld=0 event_activation=0 } backup { backup=0 archive=0 }";

/** The UUIDs of the LUKS headers. */
export const LVM_LUKS_UUID = {
  below: "17a30000-0000-4000-8000-000000000001",
  above: "17a30000-0000-4000-8000-000000000002",
} as const;

const open = (uuid: string, device: string, name: string) =>
  `cryptsetup ${LUKS} --uuid ${uuid} --key-file ${KEY} ${device}; cryptsetup open --key-file ${KEY} ${device} ${name}\n`;
const fill = (label: string, device: string) => `mkfs.ext4 -q -L ${label} -d /tree ${device}; sync\n`;

/** The groups that lvm2 makes, by the label of the root in each: the disks, and the lines that make it. */
const GROUPS = {
  /** my-vg: a root over both disks, a striped volume with the label STRIPED, and one that is read-only. */
  LINEAR: {
    disks: 2,
    script: (one: string, other: string) => `
      lvm pvcreate -y ${one} ${other}; lvm vgcreate my-vg ${one} ${other}
      lvm lvcreate -y -an -n other -l 2 my-vg
      lvm lvcreate -y -n striped-root -i 2 -l 10 my-vg; lvm lvcreate -y -n root -l 16 my-vg
      ${fill("LINEAR", "/dev/mapper/my--vg-root")}
      ${fill("STRIPED", "/dev/mapper/my--vg-striped--root")}
      lvm vgchange -an my-vg`,
  },
  /** LUKS, in it the group "crypted" with the volume "root". */
  INSIDE: {
    disks: 1,
    script: (one: string) => `
      ${open(LVM_LUKS_UUID.below, one, "below")}
      lvm pvcreate -y /dev/mapper/below; lvm vgcreate crypted /dev/mapper/below; lvm lvcreate -y -n root -l 100%FREE crypted
      ${fill("INSIDE", "/dev/mapper/crypted-root")}
      lvm vgchange -an crypted; cryptsetup close below`,
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

/** The label of a root in a volume group. */
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
      modules: ["dm-mod", "dm-crypt", "xts", "ecb", "algif_skcipher"],
      programs: ["/usr/sbin/lvm", "/sbin/mkfs.ext4", "/sbin/cryptsetup"],
      files: { [KEY]: { file: key }, "/etc/lvm/lvm.conf": { text: LVM_CONF } },
      tree,
      script: labels
        .map((one) => {
          const [first = "", second = ""] = serials(one).map((name) => `$(device ${name})`);
          return GROUPS[one].script(first, second);
        })
        .join("\n"),
    }),
  );
  return serials(label).map((name) => join(directory, name));
}
