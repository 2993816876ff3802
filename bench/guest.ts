import { debianKernel, type KernelFlavour } from "../test/support/kernels.ts";
import { type BootOptions, boot, type Vm } from "../test/support/qemu.ts";
import type { Family } from "./candidates.ts";
import type { Purpose } from "./chroots.ts";
import { PASSPHRASE, PROMPTS, sceneDisk, sceneWords } from "./scenes.ts";

/** The times of one boot, in milliseconds of the kernel log's clock since the kernel's first line. */
export interface Timing {
  /** The kernel's "Run /init". */
  readonly startMs: number;
  /** The first line of the real init. */
  readonly initMs: number;
  /** The prompt for the passphrase, and Enter; 0 without a prompt. */
  readonly promptMs: number;
  readonly enterMs: number;
}

/** What boots, and how. */
export interface Guest {
  readonly name: string;
  readonly family: Family;
  readonly image: string;
  readonly purpose: Purpose;
  readonly kernel?: KernelFlavour;
  /** QEMU's clock counts instructions: one CPU, reproducible results. */
  readonly icount: boolean;
  readonly memoryMib: number;
}

const BOOT_TIMEOUT_MS = 300_000;
/** How long a person types: what goes on behind the prompt has time to end. */
const TYPING_MS = 3000;
const MEMORY_STEP_MIB = 8;
const MOST_MEMORY_MIB = 1024;

/** Boots the image with the disk of its purpose until the real init has printed the times. Throws if it does not. */
export async function timeBoot({ name, family, purpose, ...guest }: Guest): Promise<Timing> {
  const disks = [{ file: await sceneDisk(purpose) }];
  const options = { ...guest, name: `${name}-${purpose}`, disks, cmdline: sceneWords(family, purpose) };
  return timeGuest(options, purpose === "luks" ? (vm) => answer(vm, family) : undefined);
}

/** What a guest consists of, besides its CPU. */
export type GuestOptions = Pick<BootOptions, "name" | "disks" | "cmdline" | "extra"> &
  Pick<Guest, "image" | "kernel" | "icount" | "memoryMib">;

/** Boots a guest until the real init has printed the times; `act` types what it asks for. Throws if it does not boot. */
export async function timeGuest(
  { name, image, kernel = "cloud", ...options }: GuestOptions,
  act: (vm: Vm) => Promise<void> = () => Promise.resolve(),
): Promise<Timing> {
  // As a boot loader starts it, unlike the tests: unpacking the kernel needs memory, too.
  const file = (await debianKernel(kernel)).vmlinuz;
  const vm = await boot({ smp: 2, ...options, name: `bench-${name}`, initrd: image, kernel: { file }, cpu: "max" });
  try {
    await act(vm);
    const [, ...times] = await vm.expect(
      /bench: init (\d+) handover (\d+) prompt (\d+) enter (\d+)\n/,
      BOOT_TIMEOUT_MS,
    );
    const [startMs = 0, initMs = 0, promptMs = 0, enterMs = 0] = times.map((time) => Number(time) / 1000);
    return { startMs, initMs, promptMs, enterMs };
  } catch (error) {
    vm.keepLog();
    throw error;
  } finally {
    await vm.stop();
  }
}

/** Types the passphrase. The kernel logs each NMI with its time, so the guest's own clock says when the prompt and Enter were. */
async function answer(vm: Vm, family: Family): Promise<void> {
  await vm.expect(PROMPTS[family], BOOT_TIMEOUT_MS);
  await vm.monitor("inject-nmi");
  await vm.pause(TYPING_MS);
  vm.send(PASSPHRASE);
  await vm.pause(TYPING_MS);
  await vm.monitor("inject-nmi");
  vm.send("\n");
}

/** Returns the least memory with which the image boots, in MiB, in steps of 8; null if 1 GiB is not enough. */
export async function findSmallestMemory(guest: Omit<Guest, "icount" | "memoryMib">): Promise<number | null> {
  const boots = async (steps: number): Promise<boolean> => {
    try {
      await timeBoot({ ...guest, icount: false, memoryMib: steps * MEMORY_STEP_MIB });
      return true;
    } catch {
      // For any error, that memory is not enough: with more, the same guest boots.
      return false;
    }
  };
  let [low, high] = [1, MOST_MEMORY_MIB / MEMORY_STEP_MIB];
  if (!(await boots(high))) return null;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await boots(middle)) high = middle;
    else low = middle + 1;
  }
  return high * MEMORY_STEP_MIB;
}
