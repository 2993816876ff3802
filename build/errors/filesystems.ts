import type { MountCause } from "../../src/problems/causes/mount.ts";
import type { FILESYSTEMS } from "../../src/problems/diagnoses/filesystems.ts";
import type { Examples } from "./example.ts";

const MOUNT = { node: "/dev/sda2", place: "/sysroot", role: "root", hasOptions: false, kernel: [] } as const;
const EINVAL = {
  errno: "EINVAL",
  why: "it is not that type of filesystem, its superblock is damaged, or an option is wrong",
};

export const FILESYSTEM_EXAMPLES: Examples<typeof FILESYSTEMS> = {
  "place-missing": [{ place: "/sysroot" }],
  "mount-refused": [
    {
      kind: "unknown-features",
      type: "ext4",
      detail: ["casefold", "bit 20"],
      kernel: ["EXT4-fs (sda2): couldn't mount because of unsupported optional features (120000)"],
    },
    { kind: "unknown-write-features", type: "ext4" },
    { kind: "unknown-compression", type: "squashfs", detail: ["zstd"] },
    { kind: "block-size", type: "xfs" },
    { kind: "sector-size", type: "ext4" },
    { kind: "journal-locked", type: "ext4", errno: "EROFS", detail: ["noload"] },
    { kind: "needs-replay", type: "reiserfs", errno: "EROFS" },
    { kind: "no-subvolume", type: "btrfs", errno: "ENOENT", detail: ["@", "@root", "@home"] },
    { kind: "unknown-option", type: "ext4", detail: ["datta=journal"] },
    { kind: "beyond-device", type: "ext4" },
    { kind: "same-uuid", type: "xfs" },
    { kind: "journal-elsewhere", type: "xfs" },
    { kind: "windows-open", type: "ntfs3" },
    { kind: "wrong-type", type: "xfs", detail: ["ext4"] },
    { kind: "in-use", type: "ext4", errno: "EBUSY" },
    { kind: "device-gone", type: "ext4", errno: "ENXIO" },
    { kind: "device-failing", type: "ext4", errno: "EIO" },
    { kind: "memory-short", type: "ext4", errno: "ENOMEM" },
    { kind: "module-missing", type: "vfat", detail: ["nls_cp437"] },
    { kind: "driver-missing", type: "squashfs", errno: "ENODEV" },
    {
      kind: "driver-blacklisted",
      type: "btrfs",
      errno: "ENODEV",
      detail: ["btrfs", "modprobe.blacklist=btrfs", "command line"],
    },
    { kind: "medium-damaged", type: "squashfs", errno: "EIO", detail: ["/dev/sda2", "1048576"] },
    { kind: "damaged", type: "ext4", errno: "EUCLEAN" },
  ].map(({ kind, type, errno = "EINVAL", detail = [], kernel = [] }) => ({
    ...MOUNT,
    kernel,
    refusals: [{ ...EINVAL, type, errno, cause: { kind, detail } as MountCause }],
  })),
  "not-a-filesystem": [
    { node: "/dev/sda2", what: "swap space", layer: null, role: "root" },
    { node: "/dev/sda2", what: "a part of ZFS", layer: "ZFS", role: "root" },
  ],
  "filesystem-ambivalent": [{ node: "/dev/sda2", types: ["ext4", "zfs_member"], type: "ext4", role: "root" }],
  "device-unreadable": [
    { node: "/dev/sda2", why: "the device returns I/O errors: it is failing, or its cable is (EIO)" },
  ],
  "filesystem-unknown": [
    { node: "/dev/sda2", table: null, partitions: [], isUnlocked: false, role: "root" },
    {
      node: "/dev/sda",
      table: "gpt",
      partitions: ["/dev/sda1 vfat", "/dev/sda2 ext4"],
      isUnlocked: false,
      role: "root",
    },
  ],
  "filesystem-has-errors": [
    {
      node: "/dev/sda2",
      program: "fsck.ext4",
      status: 4,
      output: ["/dev/sda2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY."],
      repair: "preen",
    },
  ],
};
