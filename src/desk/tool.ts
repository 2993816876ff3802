import { BootError } from "../problems/errors.ts";

/** Debian's packages of the programs that commands run. */
const PACKAGES = {
  xz: "xz-utils",
  bzip2: "bzip2",
  lzop: "lzop",
  lz4: "lz4",
  loadkeys: "kbd",
  ckbcomp: "console-setup",
  veritysetup: "cryptsetup-bin",
  sbsign: "sbsigntool",
  "dpkg-divert": "dpkg",
  "run-parts": "debianutils",
  strip: "binutils",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-system-aarch64": "qemu-system-arm",
  cryptsetup: "cryptsetup-bin",
  mksquashfs: "squashfs-tools",
  "mkfs.erofs": "erofs-utils",
  sfdisk: "fdisk",
  "mkfs.vfat": "dosfstools",
  mmd: "mtools",
  mcopy: "mtools",
  mke2fs: "e2fsprogs",
  syslinux: "syslinux",
  "grub-mkimage": "grub-common",
  mmdebstrap: "mmdebstrap",
  debootstrap: "debootstrap",
  chroot: "coreutils",
} as const;
/** A program of this host. */
export type Tool = keyof typeof PACKAGES;

/** These may be in a directory that a user's PATH leaves out. */
const IN_SBIN: ReadonlySet<Tool> = new Set([
  ...([
    "loadkeys",
    "ckbcomp",
    "veritysetup",
    "cryptsetup",
    "sfdisk",
    "mkfs.vfat",
    "mke2fs",
    "debootstrap",
    "chroot",
    "dpkg-divert",
    "run-parts",
  ] as const),
]);

/** An option of xz: a header may ask for a dictionary of 4 GiB, while xz -9 makes one of 64 MiB. */
export const XZ_MEMORY_LIMIT = "--memlimit-decompress=256MiB";

/** Returns the path of a program; null if this host does not have it. */
export function haveTool(tool: Tool): string | null {
  const directories = `${process.env["PATH"] ?? ""}${IN_SBIN.has(tool) ? ":/usr/sbin:/usr/bin:/sbin:/bin" : ""}`;
  return Bun.which(tool, { PATH: directories });
}

/** Returns the path of a program. Throws a BootError "cannot `purpose`: …" if this host does not have it. */
export function findTool(tool: Tool, purpose: string, otherwise = ""): string {
  const path = haveTool(tool);
  if (path !== null) return path;
  throw new BootError(`cannot ${purpose}: this host has no program ${tool}`, {
    hint: `install it (Debian: apt install ${PACKAGES[tool]})${otherwise}`,
  });
}

/** Runs a program from standard input to standard output; it is stopped once it has written more than `limit` bytes. */
export function runTool(tool: Tool, purpose: string, args: readonly string[], stdin: Uint8Array | null, limit: number) {
  const argv = [findTool(tool, purpose), ...args];
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin, maxBuffer: limit + 1 });
  // No other thread shares it.
  return {
    status: exitCode,
    stdout: stdout as Buffer<ArrayBuffer>,
    complaint: stderr.toString().trim().split("\n").slice(0, 5),
  };
}
