/** Why tests of a file run on x86-64 only. */
export const REASONS = {
  board: "they need what only the emulated PC has: a BIOS, a screen with a PS/2 keyboard, ISA, i6300esb, PVH, old CPUs",
  programs: "their guest runs Debian, or programs of Debian with libraries, which fixtures have for x86-64",
  init: "their init is compiled for x86-64 from TypeScript or C",
  image: "their image is another tool's, or a fixture of x86-64 is in it",
  host: "they boot no guest, or have levain of this machine start one",
  same: "what they prove is the same code and the same kernel interface on both",
} as const;

/** A row of the table. */
export interface Row {
  /** Beginnings of the names of tests that `make test` runs on AArch64 too. */
  readonly test?: readonly string[];
  /** Those that `make long` runs there. */
  readonly long?: readonly string[];
  /** Why the others, if there are any, do not run there. */
  readonly others?: keyof typeof REASONS;
}

/** THE table of what runs on AArch64, by files of test/vm/ and test/long/: those with tests that run there, and below the others. */
export const AARCH64_TESTS: Readonly<Record<string, Row>> = {
  "vm/btrfs": { long: ["a btrfs of two disks is mounted, by subvolume"], others: "same" },
  "vm/causes": { long: ["a refused mount and a missing init are explained"] },
  "vm/console": { test: ["a boot, from an image that has no shell"], others: "same" },
  "vm/contract": { long: ["the real kernel keeps the contract of the machine"] },
  "vm/crypt-passphrase": { test: ["the fourth passphrase opens the root"], others: "board" },
  "vm/disk-buses": { long: ["a root on ahci, scsi, sd"] },
  "vm/handover": { test: ["a real init finds what the kernel"], others: "init" },
  "vm/harness": { long: ["the harness expects and sends"], others: "same" },
  "vm/live-images": { test: ["scenario A: from a writable USB stick"], others: "same" },
  "vm/raid": { long: ["a root on a mirror is found at once"], others: "programs" },
  "vm/rdshell": { long: ["the password starts the shell"], others: "board" },
  "vm/rescue": { test: ["a wrong root: the report, a real shell"], others: "board" },
  "vm/root-forms": { long: ["a root has many spellings"], others: "same" },
  "vm/root-names": { test: ["without root= an EFI machine"], long: ["the devices of "], others: "same" },
  "vm/stay": { long: ["without root=, there is a shell"], others: "same" },
  "vm/stores": { long: ["a directory of a partition: the next boot"], others: "same" },
  "vm/whole-disks": { long: ["an image of a whole disk boots"], others: "same" },
};

/** The files of which nothing runs there, by the reason. */
export const X86_FILES: Readonly<Record<keyof typeof REASONS, { readonly vm: string; readonly long: string }>> = {
  board: {
    vm: "demo kernel-fallback prompt rescue-menu resume silence uki usb waiting",
    long: "boot-counting hibernation qr usb",
  },
  programs: {
    vm: "archives crypt-debian downloads exit-inits exit-program fsck image kernel-ciphers luks-headers lvm lvm-crypt network nfs other-roots probe-guest remote-disks sync",
    long: "bcachefs debian-on-lvm debian-package distribution-layouts doctor five-repairs iscsi kernel-install network-faults nfs nvme sync",
  },
  init: { vm: "event-floods mdev paged stage0", long: "event-floods" },
  image: {
    vm: "autoload distributions foreign initrd modprobe module-inputs modules recipes",
    long: "distributions foreign",
  },
  host: { vm: "desk doctor fixtures probe-images", long: "aarch64-desk build packages run" },
  same: {
    vm: "bcache compressed-modules crypt-containers crypt-derivation crypt-keys crypt-layers integrity kernels layers media media-types memory new-root-writes power-cuts sealed subtrees sync-command trust untouched verity",
    long: "other-roots power-cuts power-moments verity",
  },
};

/** What `bun test` is given for the tests of a run: their files, and the beginnings of their names. */
export function chosenTests(...runs: readonly ("test" | "long")[]) {
  const rows = Object.entries(AARCH64_TESTS).map(([file, row]) => ({
    file,
    names: runs.flatMap((run) => row[run] ?? []),
  }));
  const chosen = rows.filter(({ names }) => names.length > 0);
  return { files: chosen.map(({ file }) => `test/${file}.test.ts`), names: chosen.flatMap(({ names }) => names) };
}
