import { describe, expect, test } from "bun:test";
import { findMountCause } from "../../../src/filesystems/mount-causes.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { problem } from "../../../src/problems/problem.ts";
import { report } from "../../../src/problems/report.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const machine = fakeMachine();

/** The report of a mount that the kernel refuses with `errno` and these words. */
function explain(
  type: string,
  errno: string,
  words: string,
  more: { options?: string; role?: "root" | "image"; isUntouched?: boolean } = {},
) {
  const { options = "", role = "root", isUntouched = false } = more;
  const error = new SyscallError("mount", errno, "/sysroot");
  const kernel = words === "" ? [] : words.split("\n");
  const refusal = { type, error, kernel, options, node: "/dev/vda", name: "/dev/vda", probed: type, isUntouched };
  const cause = findMountCause({ machine, drivers: { blocked: () => [] } }, refusal);
  const refusals = [{ type, errno, why: "?", cause }];
  const facts = { node: "/dev/vda", place: "/sysroot", role, hasOptions: options !== "", refusals, kernel };
  return {
    kind: cause?.kind ?? null,
    detail: cause?.detail ?? [],
    text: report(problem("mount-refused", facts)).join("\n"),
  };
}

test.each([
  [
    "ext4",
    "couldn't mount because of unsupported optional features (130000)",
    "does not know: encrypt, casefold, bit 20",
  ],
  ["ext3", "couldn't mount RDWR because of unsupported optional features (8000)", "read but not write: verity"],
  ["xfs", "Superblock has unknown incompatible features (0x120) enabled.", "does not know: nrext64, metadir"],
  [
    "btrfs",
    "cannot mount because of unsupported optional features (0x4001)",
    "does not know: mixed_backref, raid_stripe_tree",
  ],
  [
    "btrfs",
    "cannot mount read-write because of unknown compat_ro features (0x8)",
    "read but not write: block_group_tree",
  ],
  [
    "xfs",
    "Superblock has unknown read-only compatible features (0x8) enabled.\nXFS (vda): Attempted to mount read-only compatible filesystem read-write.",
    "read but not write: inobtcount",
  ],
  [
    "ocfs2",
    "couldn't mount because of unsupported optional features (4000)",
    "features that this kernel does not know",
  ],
])("features that %s lacks are named bit by bit: %s", (type, words, named) => {
  const { text } = explain(type, "EINVAL", words);
  expect(text.replaceAll(/\s+/g, " ")).toContain(named);
});

describe("the kernel's own words decide the cause", () => {
  // The formats of fs/*/ of Linux 6.1, and older spellings.
  test.each([
    [
      "ext4",
      "EINVAL",
      "EXT4-fs (vda): Couldn't mount because of unsupported optional features (100000)",
      "unknown-features",
    ],
    [
      "ext4",
      "EINVAL",
      "EXT4-fs (vda): couldn't mount RDWR because of unsupported optional features (400)",
      "unknown-write-features",
    ],
    ["xfs", "EINVAL", "XFS (vda): Superblock has unknown incompatible features (0x20) enabled.", "unknown-features"],
    [
      "xfs",
      "EINVAL",
      "XFS (vda): Superblock has unknown read-only compatible features (0x10) enabled.\nXFS (vda): Attempted to mount read-only compatible filesystem read-write.",
      "unknown-write-features",
    ],
    [
      "btrfs",
      "EINVAL",
      "BTRFS error (device vda): cannot mount because of unsupported optional features (0x4000)",
      "unknown-features",
    ],
    [
      "btrfs",
      "EINVAL",
      "BTRFS error (device vda): cannot mount read-write because of unknown compat_ro features (0x8)",
      "unknown-write-features",
    ],
    [
      "f2fs",
      "EINVAL",
      "F2FS-fs (vda): Filesystem with casefold feature cannot be mounted without CONFIG_UNICODE",
      "unknown-features",
    ],
    [
      "erofs",
      "EINVAL",
      "erofs: (device vda): unidentified incompatible feature 100, please upgrade kernel version",
      "unknown-features",
    ],
    [
      "erofs",
      "EOPNOTSUPP",
      "erofs: (device vda): unidentified algorithms 8, please upgrade kernel",
      "unknown-compression",
    ],
    [
      "squashfs",
      "EINVAL",
      'squashfs: Filesystem uses "zstd" compression. This is not supported',
      "unknown-compression",
    ],
    ["squashfs", "EINVAL", "squashfs: Major/Minor mismatch, trying to mount newer 5.0 filesystem", "unknown-features"],
    [
      "xfs",
      "ENOSYS",
      "XFS (vda): File system with blocksize 65536 bytes. Only pagesize (4096) or less will currently work.",
      "block-size",
    ],
    // Since Linux 6.12.
    [
      "xfs",
      "ENOSYS",
      "XFS (vda): block size (131072 bytes) not supported; Only block size (65536) or less is supported",
      "block-size",
    ],
    [
      "btrfs",
      "EINVAL",
      "BTRFS error (device vda): sectorsize 16384 not yet supported for page size 4096",
      "block-size",
    ],
    ["xfs", "ENOSYS", "XFS (vda): device supports 4096 byte sectors (not 512)", "sector-size"],
    ["ext4", "EINVAL", "EXT4-fs (dm-2): bad block size 1024", "sector-size"],
    [
      "ext4",
      "EROFS",
      "EXT4-fs (vda): write access unavailable, cannot proceed (try mounting with noload)",
      "journal-locked",
    ],
    ["btrfs", "EIO", "BTRFS warning (device vda): log replay required on RO media", "journal-locked"],
    ["nilfs2", "EROFS", "", "journal-locked"],
    ["xfs", "EINVAL", "XFS (vda): Filesystem has duplicate UUID 0a1b - can't mount", "same-uuid"],
    [
      "ext4",
      "EINVAL",
      "EXT4-fs (vda): bad geometry: block count 131072 exceeds size of device (65536 blocks)",
      "beyond-device",
    ],
    ["ext4", "EINVAL", "EXT4-fs (vda): failed to open journal device unknown-block(8,1) -6", "journal-elsewhere"],
    ["ext4", "EINVAL", "ext4: Unknown parameter 'subvol'", "unknown-option"],
    ["vfat", "EINVAL", 'FAT-fs (vda): Unrecognized mount option "acl" or missing value', "unknown-option"],
    ["vfat", "EINVAL", "FAT-fs (vda): codepage cp850 not found", "module-missing"],
    ["ext4", "EINVAL", "EXT4-fs (vda): Cannot load crc32c driver.", "module-missing"],
    ["ntfs3", "EINVAL", 'ntfs3: vda: volume is dirty and "force" flag is not set!', "windows-open"],
    ["xfs", "EUCLEAN", "", "damaged"],
    ["ext4", "EBUSY", "", "in-use"],
    ["ext4", "EINVAL", "EXT4-fs (vda): VFS: Can't find ext4 filesystem", null],
  ])("%s %s %p", (type, errno, words, kind) => {
    expect(explain(type, errno, words).kind).toBe(kind as ReturnType<typeof explain>["kind"]);
  });

  test("no line of the kernel about a healthy mount is one of these", () => {
    const lines = [
      "EXT4-fs (vda): mounted filesystem with ordered data mode. Quota mode: none.",
      "EXT4-fs (vda): INFO: recovery required on readonly filesystem\nEXT4-fs (vda): recovery complete",
      "BTRFS info (device vda): using free space tree",
      "XFS (vda): Mounting V5 Filesystem\nXFS (vda): Ending clean mount",
    ];
    for (const line of lines) expect(explain("ext4", "EINVAL", line).kind).toBeNull();
  });
});

describe("the hints follow the cause", () => {
  test("a newer kernel, and no check, for unknown features", () => {
    const { text } = explain(
      "ext4",
      "EINVAL",
      "EXT4-fs (vda): Couldn't mount because of unsupported optional features (1)",
    );
    expect(text).toContain("ext4: it has features that this kernel does not know: compression (EINVAL)");
    expect(text).toContain("hint: use a newer kernel: the filesystem is not damaged");
    expect(text).not.toContain("with fsck");
  });

  test.each([
    ["ext4", "noload"],
    ["xfs", "norecovery"],
    ["btrfs", "rescue=nologreplay"],
    ["f2fs", "norecovery"],
  ])("the option of %s that leaves the journal alone", (type, option) => {
    const { text } = explain(type, "EROFS", "write access unavailable");
    expect(text).toContain("its journal has to be replayed, and the device is write-protected (EROFS)");
    expect(text).toContain(`add ${option} to rootflags=`);
  });

  test("no replay, where nothing may be written", () => {
    for (const words of ["", "EXT4-fs (vda): write access unavailable, cannot proceed"]) {
      const { kind, text } = explain("ext4", "EROFS", words, { isUntouched: true, role: "image" });
      expect(kind).toBe("needs-replay");
      expect(text).toContain("mount it writable on another machine and unmount it");
    }
  });

  test("a character set is named as its module", () => {
    const { detail, text } = explain("vfat", "EINVAL", "FAT-fs (vda): IO charset iso8859-15 not found");
    expect(detail).toEqual(["nls_iso8859-15"]);
    expect(text).toContain("levain image --module nls_iso8859-15");
  });

  test("the program that repairs this filesystem, not fsck", () => {
    expect(explain("xfs", "EUCLEAN", "").text).toContain("xfs_repair");
    expect(explain("btrfs", "EUCLEAN", "").text).toContain("btrfs check");
    expect(explain("ext4", "EUCLEAN", "").text).toContain("with fsck");
  });

  test("no parameter of the root for an image", () => {
    for (const words of [
      "write access unavailable",
      "ext4: Unknown parameter 'x'",
      "couldn't mount RDWR because of unsupported",
    ]) {
      expect(explain("ext4", "EINVAL", words, { role: "image" }).text).not.toContain("rootflags=");
    }
  });

  test("an option that the filesystem does not have is named", () => {
    const { text } = explain("ext4", "EINVAL", "ext4: Unknown parameter 'subvol'", { options: "subvol=@" });
    expect(text).toContain("ext4: it does not accept the option subvol (EINVAL)");
    expect(text).toContain("hint: remove the option subvol from rootflags=");
  });
});
