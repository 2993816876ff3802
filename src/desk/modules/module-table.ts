/** By directory below /lib/modules/VERSION/kernel, in order; `*` also matches slashes, a "!" removes what an earlier name added. */
const TABLE: readonly (readonly [directory: string, names: string])[] = [
  // Disks and their controllers; not network storage that needs half of drivers/net, targets, test devices.
  ["drivers/ata", "* !pata_pcmcia"],
  ["drivers/scsi", "* !pcmcia/* !fcoe/* !bnx2* !qed* !cxgbi/* !csiostor/* !be2iscsi/* !scsi_debug !*iscsi* !ch !st"],
  ["drivers/scsi", "!ses"],
  ["drivers/message", "fusion/mpt* !fusion/mptctl !fusion/mptlan"],
  ["drivers/nvme", "host/* !host/nvme-rdma"],
  ["drivers/nvdimm", "*"],
  ["drivers/acpi", "nfit/nfit"],
  ["drivers/dax", "*"],
  ["drivers/pci", "controller/*"],
  ["drivers/ufs", "*"],
  ["drivers/mmc", "* !core/mmc_test !core/sdio_uart"],
  ["drivers/memstick", "*"],
  ["drivers/misc", "cardreader/*"],
  ["drivers/cdrom", "*"],
  ["drivers/firewire", "firewire-ohci firewire-sbp2"],
  ["drivers/block", "loop brd nbd floppy mtip32xx/* virtio_blk xen-blkfront"],
  // Buses of virtual machines, and the console that a shell may need.
  ["drivers/virtio", "virtio_* !virtio_balloon !virtio_mem"],
  ["drivers/char", "virtio_console"],
  ["drivers/hv", "hv_vmbus"],
  ["drivers/hid", "hid-hyperv"],
  ["drivers/xen", "* !xen-gnt* !xen-evtchn !*back*"],
  ["drivers/input", "misc/xen-kbdfront"],
  // USB, and keyboards on every bus.
  ["drivers/usb", "core/* host/* !host/sl811_cs storage/* dwc2/* dwc3/*"],
  ["drivers/phy", "*"],
  ["drivers/regulator", "*"],
  ["drivers/hid", "* !amd-sfh-hid/* !intel-ish-hid/* !hid-sensor-* !hid-*ff !hid-pl !hid-dr !hid-roccat*"],
  ["drivers/hid", "!hid-wiimote !hid-nintendo !hid-playstation !hid-sony !hid-steam !hid-picolcd !hid-mcp2221"],
  ["drivers/hid", "!hid-cp2112 !hid-ft260 !hid-u2fzero !hid-led !hid-prodikeys !hid-magicmouse !hid-uclogic !uhid"],
  ["drivers/hid", "!wacom"],
  ["drivers/input", "evdev keyboard/* serio/* !serio/serio_raw !serio/serport !serio/parkbd"],
  ["drivers/platform", "surface/aggregator/* surface/surface_aggregator_*"],
  ["drivers/spi", "spi-pxa2xx-*"],
  ["drivers/mfd", "intel-lpss-*"],
  // Filesystems, with the character sets that they request when they are mounted.
  ["fs", "ext2/* ext3/* ext4/* xfs/* btrfs/* f2fs/* bcachefs/* fat/* exfat/* ntfs3/* isofs/* udf/* squashfs/*"],
  ["fs", "erofs/* cramfs/* romfs/*"],
  // The first four are old or rare, but a root may be on one, and together they are less than 1 % of an image.
  ["fs", "jfs/* nilfs2/* reiserfs/* minix/* overlayfs/* efivarfs/* nls/nls_cp437 nls/nls_ascii nls/nls_iso8859-1"],
  ["fs", "nls/nls_utf8"],
  // Directories of the host of a virtual machine.
  ["fs", "9p/* fuse/fuse fuse/virtiofs"],
  ["net", "9p/9pnet 9p/9pnet_virtio"],
  // Device mapper and RAID, with every cipher and hash, portable or for one processor.
  ["drivers/md", "* !md-cluster !faulty !dm-log-* !dm-flakey !dm-delay !dm-vdo/*"],
  ["crypto", "* !tcrypt !pcrypt !streebog_generic !ecrdsa_generic !asymmetric_keys/*"],
  ["arch", "*/crypto/*"],
  ["drivers/crypto", "padlock-*"],
];

/** The modules of a machine that needs the network: every Ethernet card, but for switches and cards with more firmware than the rest of an image. */
const NETWORK_TABLE: typeof TABLE = [
  ["drivers/net", "ethernet/* phy/* mdio/* pcs/* usb/* hyperv/* vmxnet3/* virtio_net xen-netfront mii bonding/bonding"],
  [
    "drivers/net",
    "!ethernet/mellanox/mlxsw/* !ethernet/netronome/* !ethernet/cavium/liquidio/* !ethernet/marvell/prestera/*",
  ],
  ["drivers/net", "!ethernet/8390/* !usb/hso !usb/sierra_net"],
  ["drivers/block", "aoe/*"],
  ["drivers/scsi", "iscsi_tcp"],
  ["fs", "nfs/nfs nfs/nfsv3 nfs/nfsv4"],
  ["net", "8021q/8021q bridge/bridge packet/af_packet ipv6/ipv6"],
];

/** Watchdogs, and the chips of which Intel's is a part. */
const WATCHDOG_TABLE: typeof TABLE = [
  ["drivers/watchdog", "*"],
  ["drivers/mfd", "lpc_ich"],
  ["drivers/i2c", "busses/i2c-i801"],
];

const patternsOf = (table: typeof TABLE) =>
  table.flatMap(([directory, names]) =>
    names.split(" ").map((name) => (name.startsWith("!") ? `!${directory}/${name.slice(1)}` : `${directory}/${name}`)),
  );

/** The patterns of modules that --network adds to DEFAULT_MODULES. */
export const NETWORK_MODULES: readonly string[] = patternsOf(NETWORK_TABLE);

/** The patterns that rd.watchdog= of the image's own parameters adds. */
export const WATCHDOG_MODULES: readonly string[] = patternsOf(WATCHDOG_TABLE);

/** THE table of the modules that a generic machine needs to reach its root, as patterns of paths without their suffix. */
export const DEFAULT_MODULES: readonly string[] = patternsOf(TABLE);
