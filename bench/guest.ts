import { join } from "node:path";
import { rootImage } from "../test/support/filesystem-images.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { boot } from "../test/support/qemu.ts";
import { compileStatic } from "./peers.ts";

/** What one boot took, in milliseconds by the clock of the kernel's log. */
export interface Timing {
  /** From the kernel's first line to its "Run /init". */
  readonly kernelMs: number;
  /** From there to the first line of the real init. */
  readonly initMs: number;
}

/** How a boot is done. */
export interface BootMode {
  /** QEMU's clock counts instructions: one CPU, and the same result each time. */
  readonly icount: boolean;
  readonly memoryMib: number;
}

const UUID = "be9c40de-0000-4000-8000-000000000001";
// Nobody shall wait for a person when it fails: the guest reboots, which ends QEMU.
const CMDLINE = `root=UUID=${UUID} ro panic=1 rd.shell=0 rd.emergency=reboot`;
const BOOT_TIMEOUT_MS = 180_000;
const MEMORY_STEP_MIB = 32;
/** Where the search for the smallest memory begins and ends, in steps. */
const MEMORY_STEPS = [1, 32] as const;

/** Boots the initramfs with the one disk, until the real init has said the times. Throws where it does not come so far. */
export async function timeBoot(name: string, initrd: string, { icount, memoryMib }: BootMode): Promise<Timing> {
  const disks = [{ file: await markedRoot() }];
  // As a boot loader starts it, and not as the tests do: what the kernel needs to unpack itself is memory too.
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

/** The least memory in MiB, in steps of 32, with which the initramfs boots; null where 1 GiB is not enough. */
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
    // Whatever it was that went wrong, that memory is not enough: with more of it the same guest boots.
    return false;
  }
}

/** A small ext4 whose /sbin/init is mark.c, and which says that it has a udev: drivers for other hardware are its matter. */
async function markedRoot(): Promise<string> {
  const mark = await compileStatic(join(import.meta.dir, "mark.c"));
  const udev = { text: "#!/bin/sh\n" };
  return rootImage("ext4", { uuid: UUID }, { "/sbin/init": { file: mark }, "/lib/systemd/systemd-udevd": udev });
}
