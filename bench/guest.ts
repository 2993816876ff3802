import { join } from "node:path";
import { rootImage } from "../test/support/filesystem-images.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { boot } from "../test/support/qemu.ts";
import { compileStatic } from "./peers.ts";

/** The times of one boot, in milliseconds of the kernel log's clock. */
export interface Timing {
  /** From the kernel's first line to its "Run /init". */
  readonly kernelMs: number;
  /** From "Run /init" to the first line of the real init. */
  readonly initMs: number;
}

/** How a boot runs. */
export interface BootMode {
  /** QEMU's clock counts instructions: one CPU, reproducible results. */
  readonly icount: boolean;
  readonly memoryMib: number;
}

const UUID = "be9c40de-0000-4000-8000-000000000001";
// A failed boot must not wait for a user: the guest reboots, which ends QEMU.
const CMDLINE = `root=UUID=${UUID} ro panic=1 rd.shell=0 rd.emergency=reboot`;
const BOOT_TIMEOUT_MS = 180_000;
const MEMORY_STEP_MIB = 32;
/** The range of the search for the least memory, in steps. */
const MEMORY_STEPS = [1, 32] as const;

/** Boots the initramfs with one disk until the real init has printed the times. Throws if it does not. */
export async function timeBoot(name: string, initrd: string, { icount, memoryMib }: BootMode): Promise<Timing> {
  const disks = [{ file: await markedRoot() }];
  // As a boot loader starts it, unlike the tests: unpacking the kernel needs memory, too.
  const kernel = { file: (await debianKernel("cloud")).vmlinuz };
  const vm = await boot({
    name: `bench-${name}`,
    kernel,
    cpu: "max",
    initrd,
    disks,
    cmdline: CMDLINE,
    icount,
    memoryMib,
  });
  try {
    const [, start, end] = await vm.expect(/bench: init (\d+) handover (\d+)\n/, BOOT_TIMEOUT_MS);
    return { kernelMs: Number(start) / 1000, initMs: (Number(end) - Number(start)) / 1000 };
  } catch (error) {
    vm.keepLog();
    throw error;
  } finally {
    await vm.stop();
  }
}

/** Returns the least memory with which the initramfs boots, in MiB, in steps of 32; null if 1 GiB is not enough. */
export async function findSmallestMemory(name: string, initrd: string): Promise<number | null> {
  let [low, high]: [number, number] = [...MEMORY_STEPS];
  if (!(await bootsWith(name, initrd, high))) return null;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await bootsWith(name, initrd, middle)) high = middle;
    else low = middle + 1;
  }
  return high * MEMORY_STEP_MIB;
}

async function bootsWith(name: string, initrd: string, steps: number): Promise<boolean> {
  try {
    await timeBoot(name, initrd, { icount: false, memoryMib: steps * MEMORY_STEP_MIB });
    return true;
  } catch {
    // For any error, that memory is not enough: with more, the same guest boots.
    return false;
  }
}

/** Makes a small ext4 whose /sbin/init is mark.c, with a udev, which loads the drivers for other hardware. */
async function markedRoot(): Promise<string> {
  const mark = await compileStatic(join(import.meta.dir, "mark.c"));
  const udev = { text: "#!/bin/sh\n" };
  return rootImage("ext4", { uuid: UUID }, { "/sbin/init": { file: mark }, "/lib/systemd/systemd-udevd": udev });
}
