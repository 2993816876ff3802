import type { MountCause } from "../../src/problems/causes/mount.ts";
import type { BOOT } from "../../src/problems/diagnoses/boot.ts";
import type { CHECKS } from "../../src/problems/diagnoses/checks.ts";
import type { DRIVERS } from "../../src/problems/diagnoses/drivers.ts";
import type { FILESYSTEMS } from "../../src/problems/diagnoses/filesystems.ts";
import type { RESCUE } from "../../src/problems/diagnoses/rescue.ts";
import type { VERITY } from "../../src/problems/diagnoses/verity.ts";
import type { Examples } from "./example.ts";

const CRYPTTAB = "/etc/crypttab";
const SFS = { name: "root.squashfs" };
const MODULE = "/lib/modules/6.1.0-49-amd64/kernel/drivers/ata/ahci.ko.xz";

export const BOOT_EXAMPLES: Examples<typeof BOOT> = {
  "step-failed": [{ step: "modules" }],
  "place-not-mounted": [{ place: "/sys" }],
  "run-not-writable": [{ place: "/run/levain" }],
  "command-line-unreadable": [{}],
  "crypttab-not-a-file": [{ path: CRYPTTAB }],
  "crypttab-too-long": [{ path: CRYPTTAB, maxKib: 1024 }],
  "init-missing": [
    {
      objections: [
        "/sbin/init: no such file or directory (ENOENT)",
        "/etc/init: no such file or directory (ENOENT)",
        "/bin/init: no such file or directory (ENOENT)",
        "/bin/sh: no such file or directory (ENOENT)",
      ],
      causes: [{ kind: "subvolume", detail: ["@"] }],
    },
    { objections: [], causes: [{ kind: "directory", detail: ["rootfs"] }] },
    { objections: [], causes: [{ kind: "separate-usr", detail: ["LABEL=USR"] }] },
    { objections: [], causes: [{ kind: "ostree", detail: [] }] },
    { objections: [], causes: [{ kind: "live-image", detail: ["/LiveOS/squashfs.img"] }] },
    { objections: [], causes: [{ kind: "empty", detail: [] }] },
    { objections: [], causes: [{ kind: "homes", detail: ["alice", "bob"] }] },
    { objections: [], causes: [{ kind: "boot-partition", detail: ["vmlinuz-6.1.0-49-amd64", "grub"] }] },
  ],
  "init-refused": [
    {
      init: "/sbin/init",
      objections: ["/sbin/init: its interpreter /lib64/ld-linux-x86-64.so.2 is missing"],
      causes: [],
    },
  ],
  "system-missing": [{ objections: ["/bin/sh: is a shell, and rdshell=0 allows none"], causes: [] }],
  "root-not-mounted": [{ place: "/sysroot" }],
  "root-lacks-directory": [{ directory: "/proc", user: "the kernel" }],
  "parameter-mistakes": [
    {
      mistakes: [
        {
          origin: "the kernel command line",
          text: 'rd.timeout=ten: Expected a number of seconds but received "ten"',
        },
      ],
    },
  ],
  "manifest-malformed": [{}],
  "manifest-damaged": [{}],
};

export const DRIVER_EXAMPLES: Examples<typeof DRIVERS> = {
  "module-not-decompressed": [{ path: MODULE.replace(/\.xz$/, ".zst") }],
  "module-needs-unxz": [{ path: MODULE }],
  "unxz-failed": [{ path: MODULE, status: 1, output: "unxz: corrupted data" }],
  "initramfs-too-large": [{}],
  "initramfs-damaged": [{}],
};

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
      kernel: ["EXT4-fs (sda2): couldn't mount RDWR because of unsupported optional features"],
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

export const CHECK_EXAMPLES: Examples<typeof CHECKS> = {
  "file-damaged": [{ name: "/live/filesystem.squashfs", what: "its sha256 in /sha256sum.txt", offset: null }],
  "file-missing": [{ name: "/live/initrd.img", list: "/md5sum.txt" }],
  "no-sums": [{ names: ["/SHA256SUMS", "/sha256sum.txt"] }],
  "no-iso-checksum": [{ name: "/dev/sr0" }],
  "digest-ambiguous": [{ count: 2 }],
  "signature-not-checked": [{ name: "/arch/x86_64/airootfs.sfs" }],
  "signature-missing": [{ name: "/arch/x86_64/airootfs.sfs.cms.sig" }],
  "signature-wrong": [{ name: "/arch/x86_64/airootfs.sfs" }],
  "certificate-missing": [{ paths: ["/codesign.crt", "/codesign_CA.crt"] }],
  "certificate-unreadable": [{ path: "/codesign.crt" }],
};

export const VERITY_EXAMPLES: Examples<typeof VERITY> = {
  "verity-device-missing": [{ name: "root", part: "hash tree", spec: "PARTLABEL=root-verity" }],
  "verity-not-opened": [SFS],
  "verity-no-superblock": [{ name: "/dev/sda3", offset: 0 }],
  "verity-too-short": [{ ...SFS, bytes: 1048576, neededBytes: 734003200 }],
  "verity-unknown-hash": [{ algorithm: "sha512", digits: 64 }],
  "verity-wrong-root-hash": [SFS],
  "verity-other-data": [SFS],
  "verity-signature-missing": [{ name: "/roothash.p7s" }],
  "verity-signature-refused": [{ name: "root", why: "no trusted key has signed it (ENOKEY)" }],
  "verity-image-without-hash": [{ name: "extra.squashfs" }],
  "verity-no-tree": [{ ...SFS, tree: "root.squashfs.verity" }],
  "verity-part-outside": [{ outside: ["/usr (LABEL=USR)"], part: "usr" }],
  "medium-damaged": [{ name: "/dev/sda2", offset: 1048576 }],
};

export const RESCUE_EXAMPLES: Examples<typeof RESCUE> = {
  "volume-not-closed": [{ names: "/dev/mapper/root", hasShell: true }],
  "key-file-not-removed": [{ path: "/etc/keys/root.key", why: "the filesystem is read-only (EROFS)", before: "shell" }],
  "no-stopped-boot": [{}],
  "root-is-mounted": [{ path: "/sysroot" }],
  "root-is-no-device": [{}],
  "root-not-named": [{}],
  "retry-without-root": [{}],
  "init-without-restart": [{ init: "/sbin/init", self: "/init" }],
  "unknown-parameter": [{ parameters: ["roto=LABEL=ROOT (did you mean root=?)"] }],
  "boot-record-damaged": [{ path: "/run/levain/boot.json" }],
  "log-ambiguous": [{ spec: "LABEL=LEVAIN-LOG", nodes: ["/dev/sdb1", "/dev/sdc1"] }],
  "log-in-use": [{ device: '/dev/sdb1 vfat "LEVAIN-LOG"', why: "it is mounted" }],
  "log-without-room": [{ device: '/dev/sdb1 vfat "LEVAIN-LOG"', freeBytes: 4096, neededBytes: 300_000 }],
  "log-without-place": [{ place: null }, { place: "/dev/sdb1" }],
  "log-without-record": [{}],
  "unlock-cancelled": [{}],
  "unlock-name-ambiguous": [{ count: 2 }],
  "unlock-device-malformed": [{ device: "LABLE=ROOT" }],
  "unlock-name-malformed": [
    { name: "a/b", why: "expected a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash" },
  ],
  "nothing-unlocked": [{ device: null, missing: [] }],
};
