import type { BOOT } from "../../src/problems/diagnoses/boot.ts";
import type { CHECKS } from "../../src/problems/diagnoses/checks.ts";
import type { DRIVERS } from "../../src/problems/diagnoses/drivers.ts";
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
    { objections: [], causes: [{ kind: "old-root", detail: ["UUID=3e4e63f8-0b84-4c33-b3d4-1a5ed3c4b7ff"] }] },
    { objections: [], causes: [{ kind: "boot-partition", detail: ["vmlinuz-6.1.0-49-amd64", "grub"] }] },
  ],
  "init-refused": [
    {
      init: "/sbin/init",
      objections: ["/sbin/init: its interpreter /lib64/ld-linux-x86-64.so.2 is missing"],
      causes: [],
    },
  ],
  "system-missing": [{ objections: ["/bin/sh: is a shell, and rdshell=0 allows none"], causes: [], by: "rdshell=0" }],
  "serial-speed": [
    { terminal: "ttyS0", baud: 9600, firmwareBaud: 115_200, errors: 0, received: 0 },
    { terminal: "ttyS0", baud: 9600, firmwareBaud: null, errors: 7, received: 9 },
  ],
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
  "shell-password-unusable": [{ isMissing: true }, { isMissing: false }],
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
  "log-not-written": [{ device: '/dev/sdb1 vfat "LEVAIN-LOG"', isLate: true }],
  "log-without-place": [{ place: null }, { place: "/dev/sdb1" }],
  "log-without-record": [{}],
  "slots-without-place": [{ spec: null }, { spec: "PARTLABEL=slots" }],
  "slots-ambiguous": [{ spec: "PARTLABEL=slots", nodes: ["/dev/sda4", "/dev/sdb1"] }],
  "slots-place-in-use": [{ device: '/dev/sda4 ext4 "slots"' }],
  "slots-not-used": [{}],
  "slots-not-kept": [{ booted: "A" }],
  "slot-unknown": [{ name: "C", names: ["A", "B"] }],
  "unlock-cancelled": [{}],
  "unlock-name-ambiguous": [{ count: 2 }],
  "unlock-device-malformed": [{ device: "LABLE=ROOT" }],
  "unlock-name-malformed": [
    { name: "a/b", why: "expected a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash" },
  ],
  "nothing-unlocked": [{ device: null, missing: [] }],
};
