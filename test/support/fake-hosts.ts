import { basename, dirname } from "node:path";
import { block, bound, type HostFiles, mounted, volume } from "./fake-host.ts";

const PCI = "/sys/devices/pci0000:00";

/** An input device, and the kinds of events that it has. */
const input = (place: string, events: string): HostFiles => ({
  [`${place}/capabilities/ev`]: `${events}\n`,
  [`/sys/class/input/${basename(place)}`]: { to: place },
});

/** A USB bus with a keyboard. */
const USB_KEYBOARD: HostFiles = {
  ...bound(`${PCI}/0000:00:14.0`, "xhci_hcd", {
    module: "xhci_pci",
    modalias: "pci:v00008086d00009DEDsv0sd0bc0Csc03i30",
  }),
  ...bound(`${PCI}/0000:00:14.0/usb1`, "usb", { module: "usbcore" }),
  "/sys/bus/usb/devices/usb1": { to: `${PCI}/0000:00:14.0/usb1` },
  ...bound(`${PCI}/0000:00:14.0/usb1/1-2/1-2:1.0`, "usbhid"),
  ...bound(`${PCI}/0000:00:14.0/usb1/1-2/1-2:1.0/0003:05AC:0250.0001`, "apple", { module: "hid_apple" }),
  ...input("/sys/devices/LNXSYSTM:00/LNXPWRBN:00/input/input0", "3"),
  ...input(`${PCI}/0000:00:14.0/usb1/1-2/1-2:1.0/0003:05AC:0250.0001/input/input4`, "120013"),
};

const LUKS = "CRYPT-LUKS2-17a300000000400080000000000000ab-cryptroot";
const NVME = `${PCI}/0000:00:1d.0/0000:01:00.0/nvme/nvme0/nvme0n1`;

/** A notebook: a root on LVM in LUKS on an NVMe disk, and the swap that it resumes from beside it. */
export const NOTEBOOK: HostFiles = {
  ...USB_KEYBOARD,
  ...bound(`${PCI}/0000:00:1d.0`, "pcieport", { module: null, modalias: "pci:v00008086d00009DB0sv0sd0bc06sc04i00" }),
  ...bound(`${PCI}/0000:00:1d.0/0000:01:00.0`, "nvme", { modalias: "pci:v0000144Dd0000A808sv0sd0bc01sc08i02" }),
  ...bound(`${PCI}/0000:00:02.0`, "i915", { modalias: "pci:v00008086d00003EA0sv0sd0bc03sc00i00" }),
  [`${PCI}/0000:00:02.0/drm/card0/dev`]: "226:0\n",
  "/sys/class/drm/card0": { to: `${PCI}/0000:00:02.0/drm/card0` },
  ...block(NVME, "259:0", { size: "1000000" }),
  ...block(`${NVME}/nvme0n1p3`, "259:3", { partition: "3", size: "900000" }),
  ...volume("dm-0", "254:0", [`${NVME}/nvme0n1p3`], { "dm/name": "cryptroot", "dm/uuid": LUKS }),
  ...volume("dm-1", "254:1", ["/sys/devices/virtual/block/dm-0"], { "dm/name": "vg-root", "dm/uuid": "LVM-aaaabbbb" }),
  ...volume("dm-2", "254:2", ["/sys/devices/virtual/block/dm-0"], { "dm/name": "vg-swap", "dm/uuid": "LVM-aaaacccc" }),
  ...mounted("254:1 / / ext4 /dev/mapper/vg-root rw", "259:1 / /boot ext4 /dev/nvme0n1p2 rw"),
  "/etc/fstab": "/dev/mapper/vg-root / ext4 errors=remount-ro 0 1\nUUID=2 /boot ext4 defaults 0 2\n",
  "/etc/crypttab":
    "# a comment\ncryptroot UUID=17a30000-0000-4000-8000-0000000000ab\tnone\tluks,discard\nother UUID=3 none luks\n",
  "/etc/default/keyboard": 'XKBMODEL="pc105"\nXKBLAYOUT="de,us"\nXKBVARIANT="nodeadkeys,"\n',
  "/sys/power/resume": "254:2\n",
  "/sys/power/resume_offset": "0\n",
  "/proc/modules": "dm_crypt 1 0 - Live 0x0\ndm_thin_pool 1 0 - Live 0x0\nccm 1 0 - Live 0x0\n",
};

const SATA = (port: number, letter: string) =>
  `${PCI}/0000:00:1f.2/ata${port}/host${port}/target${port}:0:0/${port}:0:0:0/block/sd${letter}`;

const sataDisk = (port: number, letter: string, number: string, partition: string): HostFiles => ({
  ...bound(dirname(dirname(SATA(port, letter))), "sd", { module: "sd_mod", modalias: "scsi:t-0x00" }),
  ...block(SATA(port, letter), number),
  ...block(`${SATA(port, letter)}/sd${letter}2`, partition, { partition: "2" }),
});

/** A server: a btrfs with a subvolume as the root, on a mirror of two SATA disks. */
export const MIRROR: HostFiles = {
  ...bound(`${PCI}/0000:00:1f.2`, "ahci", { modalias: "pci:v00008086d00002922sv0sd0bc01sc06i01" }),
  ...sataDisk(1, "a", "8:0", "8:2"),
  ...sataDisk(2, "b", "8:16", "8:18"),
  ...volume("md127", "9:127", [`${SATA(1, "a")}/sda2`, `${SATA(2, "b")}/sdb2`], { "md/level": "raid1" }),
  "/sys/fs/btrfs/features/acl": "0\n",
  "/sys/fs/btrfs/0a0a0a0a-0000-4000-8000-000000000001/devices/md127": { to: "/sys/devices/virtual/block/md127" },
  "/dev/disk/by-uuid/0a0a0a0a-0000-4000-8000-000000000001": { to: "/dev/md127" },
  "/dev/md127": "",
  ...mounted("0:24 /@ / btrfs /dev/md127 rw,subvolid=256", "0:24 /@home /home btrfs /dev/md127 rw"),
};

const STICK_HOST = `${PCI}/0000:00:14.0/usb1/1-3/1-3:1.0`;
const STICK = `${STICK_HOST}/host6/target6:0:0/6:0:0:0/block/sdb`;

/** A live system: an overlay over an image on a USB stick, whose mount is below /run. */
export const STICK_SYSTEM: HostFiles = {
  ...USB_KEYBOARD,
  ...bound(`${PCI}/0000:00:14.0/usb1/1-3`, "usb", { module: "usbcore" }),
  ...bound(STICK_HOST, "usb-storage", { module: "usb_storage" }),
  ...bound(dirname(dirname(STICK)), "sd", { module: "sd_mod" }),
  ...block(STICK, "8:16"),
  ...block(`${STICK}/sdb1`, "8:17", { partition: "1" }),
  ...block("/sys/devices/virtual/block/loop0", "7:0", { "loop/backing_file": "/run/levain/medium/newroot.sfs" }),
  ...mounted(
    "8:17 / /run/levain/medium vfat /dev/sdb1 ro,codepage=437,iocharset=ascii",
    "7:0 / /run/levain/lower squashfs /dev/loop0 ro",
    "0:30 / /run/levain/upper tmpfs tmpfs rw",
    "0:31 / / overlay levain rw,lowerdir=/run/levain/lower,upperdir=/run/levain/upper/rw,workdir=/run/levain/upper/work",
  ),
};

/** A virtual machine without /etc/fstab, whose kernel has mounted /dev/root. */
export const VIRTUAL: HostFiles = {
  ...bound(`${PCI}/0000:00:04.0`, "virtio-pci", {
    module: "virtio_pci",
    modalias: "pci:v00001AF4d00001001sv0sd0bc01sc00i00",
  }),
  ...bound(`${PCI}/0000:00:04.0/virtio1`, "virtio_blk", { modalias: "virtio:d00000002v00001AF4" }),
  ...block(`${PCI}/0000:00:04.0/virtio1/block/vda`, "253:0"),
  ...block(`${PCI}/0000:00:04.0/virtio1/block/vda/vda1`, "253:1", { partition: "1" }),
  "/dev/disk/by-uuid/5b5b5b5b-0000-4000-8000-000000000005": { to: "/dev/vda1" },
  "/dev/vda1": "",
  ...mounted("0:2 / / rootfs rootfs rw", "253:1 / / ext4 /dev/root rw"),
};

/** A diskless machine with its root on NFS, behind a bond of two cards of which one is up. */
export const DISKLESS: HostFiles = {
  ...bound(`${PCI}/0000:00:19.0`, "e1000e", { modalias: "pci:v00008086d000010D3sv0sd0bc02sc00i00" }),
  ...bound(`${PCI}/0000:00:1c.0`, "r8169", { modalias: "pci:v000010ECd00008168sv0sd0bc02sc00i00" }),
  [`${PCI}/0000:00:19.0/net/eth0/operstate`]: "up\n",
  [`${PCI}/0000:00:19.0/net/eth0/device`]: { to: `${PCI}/0000:00:19.0` },
  [`${PCI}/0000:00:1c.0/net/eth1/operstate`]: "down\n",
  [`${PCI}/0000:00:1c.0/net/eth1/device`]: { to: `${PCI}/0000:00:1c.0` },
  "/sys/class/net/eth0": { to: `${PCI}/0000:00:19.0/net/eth0` },
  "/sys/class/net/eth1": { to: `${PCI}/0000:00:1c.0/net/eth1` },
  "/sys/devices/virtual/net/bond0/uevent": "DEVTYPE=bond\nINTERFACE=bond0\n",
  "/sys/class/net/bond0": { to: "/sys/devices/virtual/net/bond0" },
  ...mounted("0:26 / / nfs4 192.0.2.1:/srv/root rw,vers=4.2"),
  "/proc/modules": "nfsv4 1 0 - Live 0x0\nnfs 1 0 - Live 0x0\n",
};

/** A container: an overlay of directories that it cannot see. */
export const CONTAINER: HostFiles = {
  ...mounted(
    "0:50 / / overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/var/lib/docker/overlay2/B/diff",
  ),
};
