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

const only = (others: keyof typeof REASONS): Row => ({ others });

/** THE table of what runs on AArch64, by files of test/vm/ and test/long/. */
export const AARCH64_TESTS: Readonly<Record<string, Row>> = {
  "vm/archives": only("programs"),
  "vm/autoload": only("image"),
  "vm/bcache": only("same"),
  "vm/btrfs": { long: ["a btrfs of two disks is mounted, by subvolume"], others: "same" },
  "vm/causes": { long: ["a refused mount and a missing init are explained"] },
  "vm/compressed-modules": only("same"),
  "vm/console": { test: ["a boot, from an image that has no shell"], others: "same" },
  "vm/contract": { long: ["the real kernel keeps the contract of the machine"] },
  "vm/crypt-containers": only("same"),
  "vm/crypt-debian": only("programs"),
  "vm/crypt-derivation": only("same"),
  "vm/crypt-keys": only("same"),
  "vm/crypt-layers": only("same"),
  "vm/crypt-passphrase": { test: ["the fourth passphrase opens the root"], others: "board" },
  "vm/demo": only("board"),
  "vm/desk": only("host"),
  "vm/disk-buses": { long: ["a root on ahci, scsi, sd"] },
  "vm/distributions": only("image"),
  "vm/doctor": only("host"),
  "vm/downloads": only("programs"),
  "vm/event-floods": only("init"),
  "vm/exit-inits": only("programs"),
  "vm/exit-program": only("programs"),
  "vm/fixtures": only("host"),
  "vm/foreign": only("image"),
  "vm/fsck": only("programs"),
  "vm/handover": { test: ["a real init finds what the kernel"], others: "init" },
  "vm/harness": { long: ["the harness expects and sends"], others: "same" },
  "vm/image": only("programs"),
  "vm/initrd": only("image"),
  "vm/integrity": only("same"),
  "vm/kernel-ciphers": only("programs"),
  "vm/kernel-fallback": only("board"),
  "vm/kernels": only("same"),
  "vm/layers": only("same"),
  "vm/live-images": { test: ["scenario A: from a writable USB stick"], others: "same" },
  "vm/luks-headers": only("programs"),
  "vm/lvm": only("programs"),
  "vm/lvm-crypt": only("programs"),
  "vm/mdev": only("init"),
  "vm/media": only("same"),
  "vm/media-types": only("same"),
  "vm/memory": only("same"),
  "vm/modprobe": only("image"),
  "vm/module-inputs": only("image"),
  "vm/modules": only("image"),
  "vm/network": only("programs"),
  "vm/new-root-writes": only("same"),
  "vm/nfs": only("programs"),
  "vm/other-roots": only("programs"),
  "vm/paged": only("init"),
  "vm/power-cuts": only("same"),
  "vm/probe-guest": only("programs"),
  "vm/probe-images": only("host"),
  "vm/prompt": only("board"),
  "vm/raid": { long: ["a root on a mirror is found at once"], others: "programs" },
  "vm/rdshell": { long: ["the password starts the shell"], others: "board" },
  "vm/recipes": only("image"),
  "vm/remote-disks": only("programs"),
  "vm/rescue": { test: ["a wrong root: the report, a real shell"], others: "board" },
  "vm/rescue-menu": only("board"),
  "vm/resume": only("board"),
  "vm/root-forms": { long: ["a root has many spellings"], others: "same" },
  "vm/root-names": { test: ["without root= an EFI machine"], long: ["the devices of "], others: "same" },
  "vm/sealed": only("same"),
  "vm/silence": only("board"),
  "vm/stage0": only("init"),
  "vm/stay": { long: ["without root=, there is a shell"], others: "same" },
  "vm/stores": { long: ["a directory of a partition: the next boot"], others: "same" },
  "vm/subtrees": only("same"),
  "vm/sync": only("programs"),
  "vm/sync-command": only("same"),
  "vm/trust": only("same"),
  "vm/uki": only("board"),
  "vm/untouched": only("same"),
  "vm/usb": only("board"),
  "vm/verity": only("same"),
  "vm/waiting": only("board"),
  "vm/whole-disks": { long: ["an image of a whole disk boots"], others: "same" },
  "long/aarch64-desk": only("host"),
  "long/bcachefs": only("programs"),
  "long/boot-counting": only("board"),
  "long/build": only("host"),
  "long/debian-on-lvm": only("programs"),
  "long/distributions": only("image"),
  "long/debian-package": only("programs"),
  "long/doctor": only("programs"),
  "long/event-floods": only("init"),
  "long/five-repairs": only("programs"),
  "long/foreign": only("image"),
  "long/hibernation": only("board"),
  "long/iscsi": only("programs"),
  "long/kernel-install": only("programs"),
  "long/network-faults": only("programs"),
  "long/nfs": only("programs"),
  "long/nvme": only("programs"),
  "long/other-roots": only("same"),
  "long/packages": only("host"),
  "long/power-cuts": only("same"),
  "long/power-moments": only("same"),
  "long/run": only("host"),
  "long/sync": only("programs"),
  "long/usb": only("board"),
  "long/verity": only("same"),
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
