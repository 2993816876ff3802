import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import { copyDisk } from "./copy-disk.ts";
import { programsFor } from "./guest-programs.ts";
import { SAME_ADDRESSES } from "./guest-words.ts";
import { type Entry, packDirectory, writeTree } from "./initramfs.ts";
import { debianKernel, type KernelFlavour } from "./kernels.ts";
import { BUSYBOX } from "./unpacked-programs.ts";
import { withVm } from "./with-vm.ts";

const MIB = 1024 * 1024;
const MAKE_TIMEOUT_MS = 600_000;
const MODULE_DIRECTORIES = ["crypto", "arch", "drivers/md", "drivers/block", "drivers/virtio", "fs/btrfs", "lib"];
// What glibc looks for when a thread of Argon2's ends.
const LIBGCC = "/lib/x86_64-linux-gnu/libgcc_s.so.1";

/** A disk of the guest, which knows it by `serial`: a new file of `mib` MiB that it fills, a copy of another that it changes, or one that it only reads. */
export type MakerDisk = { readonly serial: string; readonly file: string } & (
  | { readonly mib: number }
  | { readonly copyOf: string }
  | { readonly readOnly: true }
);

/** What a guest makes on its disks. */
export interface MakerJob {
  readonly name: string;
  /** Default: Debian's "cloud". */
  readonly kernel?: KernelFlavour;
  readonly disks: readonly MakerDisk[];
  /** Modules that it loads first, besides those for its disks. */
  readonly modules: readonly string[];
  /** Directories or files of the kernel's tree with more of them, as "fs/xfs". */
  readonly moduleDirectories?: readonly string[];
  /** Paths of programs beside BusyBox, as `guestPrograms` takes them. */
  readonly programs: readonly string[];
  readonly files?: Readonly<Record<string, Entry>>;
  /** A directory of this host that it has as /tree. */
  readonly tree?: string;
  /** Lines of shell (`set -e`); `$(device SERIAL)` is a disk's node. */
  readonly script: string;
}

// The modules that the kernel itself asks for are loaded by /sbin/modprobe.
function initScript({ modules, script }: MakerJob): string {
  return `#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /run/lock /tmp /mnt /etc
/bin/busybox --install -s /bin
ln -sf /bin/busybox /sbin/modprobe
export PATH=/bin:/sbin:/usr/bin:/usr/sbin DM_DISABLE_UDEV=1
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
trap 'echo "maker: failed"; poweroff -f' EXIT
set -e
for module in virtio_pci virtio_blk ${modules.join(" ")}; do modprobe $module; done
device() {
  for disk in /sys/block/vd*; do if [ "$(cat $disk/serial)" = $1 ]; then echo /dev/\${disk##*/}; return; fi; done
  echo "there is no disk $1" >&2; exit 1
}
${script}
sync; trap - EXIT; echo "maker: made"; sleep 1; poweroff -f
`;
}

/**
 * Lets a guest with Debian's kernel make something on block devices: this host may have no loop devices, no device mapper and
 * no driver of the filesystem, and what a guest mounts or registers is nothing that another fixture could meet.
 */
export async function makeInGuest(job: MakerJob): Promise<void> {
  const options = {
    name: `making ${job.name}`,
    architecture: "x86_64" as const,
    kernel: job.kernel ?? "cloud",
    initrd: await makerInitramfs(job),
    cmdline: `quiet ${SAME_ADDRESSES}`,
    memoryMib: 768,
    // A second one would only be idle, and emulating several at once makes every atomic access dearer.
    extra: job.disks.flatMap(makerDiskArguments),
  };
  await withVm(
    options,
    MAKE_TIMEOUT_MS,
    async (vm) => {
      await vm.expect("maker: made", MAKE_TIMEOUT_MS);
      await vm.expectExit();
    },
    {
      prepare() {
        for (const disk of job.disks) {
          if ("mib" in disk) renew(disk.file, disk.mib);
          else if ("copyOf" in disk) copyDisk(disk.copyOf, disk.file);
        }
      },
    },
  );
}

function renew(file: string, mib: number): void {
  rmSync(file, { force: true });
  writeFileSync(file, "");
  truncateSync(file, mib * MIB);
}

/** What is only read is opened so: QEMU takes a lock on what it may write, and the guests of tests have the same files. */
export function makerDiskArguments(disk: MakerDisk): string[] {
  const access = "readOnly" in disk ? "readonly=on" : "cache=unsafe,discard=unmap,detect-zeroes=unmap";
  const drive = `if=none,id=${disk.serial},format=raw,${access},file=${disk.file.replaceAll(",", ",,")}`;
  return ["-drive", drive, "-device", `virtio-blk-pci,drive=${disk.serial},serial=${disk.serial}`];
}

async function makerInitramfs(job: MakerJob): Promise<string> {
  const { modulesDir, version } = await debianKernel(job.kernel ?? "cloud", "x86_64");
  const tree = scratchDirectory();
  writeTree(tree, {
    ...(await programsFor("x86_64", ...job.programs, LIBGCC)),
    "/bin/busybox": { file: BUSYBOX },
    "/init": { text: initScript(job) },
    ...job.files,
  });
  for (const directory of [...MODULE_DIRECTORIES, ...(job.moduleDirectories ?? [])]) {
    const to = join(tree, "lib/modules", version, "kernel", directory);
    await runScript('mkdir -p "$2"; cp -r "$1" "$2"', [join(modulesDir, "kernel", directory), dirname(to)]);
  }
  await runScript('cp "$1"/modules.* "$2"', [modulesDir, join(tree, "lib/modules", version)]);
  if (job.tree !== undefined) await runScript('cp -a "$1" "$2/tree"', [job.tree, tree]);
  return packDirectory(tree);
}
