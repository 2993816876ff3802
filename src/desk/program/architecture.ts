import { le16 } from "../../formats/bytes.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Content } from "../archive/content.ts";
import type { ImageTree } from "../archive/tree.ts";
import { isFile } from "../host.ts";
import { type KernelFacts, readKernelFacts } from "../kernels/kernel-facts.ts";
import { type KernelChoice, kernelPlaces } from "../modules/kernel.ts";
import { type KernelConfig, readKernelBytes } from "../modules/kernel-config.ts";
import type { ModuleSelection } from "../modules/modules.ts";
import { ELF_HEAD_SIZE, EM, isElf, nameMachine } from "./elf.ts";

const NAMED_MAX = 5;
/** Firmware is for processors of its own. */
const FIRMWARE = /^\/(?:usr\/)?lib\/firmware\//;
const LIBRARY = /\.so(?:\.|$)/;

/** The 32-bit programs that a 64-bit kernel runs as well. */
const ALSO_RUNS: Readonly<Record<number, number>> = { [EM.X86_64]: EM.I386, [EM.AARCH64]: EM.ARM };

/** What an image says of the kernel that it is for. */
export interface KernelOfImage {
  readonly kernel: KernelChoice | null;
  readonly config: KernelConfig | null;
  /** The kernel in a unified kernel image; null in an initramfs. */
  readonly facts: KernelFacts | null;
}

/** Throws BootError if programs or libraries of the image are for another architecture than /init, whose e_machine is `machine`. */
export function refuseOtherPrograms(tree: ImageTree, machine: number): void {
  const known: readonly number[] = Object.values(EM);
  const others = [...tree.values()].flatMap((entry) => {
    if (entry.kind !== "file" || FIRMWARE.test(entry.path)) return [];
    if ((entry.mode & 0o111) === 0 && !LIBRARY.test(entry.path)) return [];
    const found = machineOf(entry.content);
    // Any other number is no program for a CPU, such as a BPF object, or for one that levain has no /init for.
    const isOther = found !== null && known.includes(found) && found !== machine && found !== ALSO_RUNS[machine];
    return isOther ? [{ path: entry.path, found }] : [];
  });
  const [first] = others;
  if (first === undefined) return;
  throw new BootError(
    `the image would mix architectures: /init is for ${nameMachine(machine)}, ${printable(first.path)} for ${nameMachine(first.found)}`,
    {
      seen: others.slice(0, NAMED_MAX).map(({ path, found }) => `${printable(path)}: ${nameMachine(found)}`),
      hint: "add files of one architecture; --init FILE chooses the levain of another one",
    },
  );
}

/** Returns e_machine of a file of the image; null if it is no ELF file. */
function machineOf(content: Content): number | null {
  const [head = new Uint8Array()] = content.chunks(new Uint8Array(ELF_HEAD_SIZE));
  return isElf(head) && head.length >= ELF_HEAD_SIZE ? le16(head, 18) : null;
}

/** Throws BootError if a module is for another architecture than /init, which loads it. */
export function refuseOtherModules(
  { names, machines }: Pick<ModuleSelection, "names" | "machines">,
  { modulesDir }: KernelChoice,
  machine: number,
): void {
  const at = machines.findIndex((other) => other !== machine);
  if (at === -1) return;
  const [theirs, own] = [nameMachine(machines[at] ?? 0), nameMachine(machine)];
  throw new BootError(`the modules in ${modulesDir} are for ${theirs}, but /init is for ${own}`, {
    seen: [`${names[at]}: ${theirs}`],
    hint: `choose modules for ${own} with --modules-dir DIR, or a levain for ${theirs} with --init FILE`,
  });
}

/** Throws BootError for --microcode, which only the kernel for x86 reads from an image. */
export function refuseMicrocode(machine: number): void {
  if (machine !== EM.AARCH64) return;
  throw new BootError(`--microcode is for x86 only, and /init is for ${nameMachine(machine)}`, {
    hint: "leave it out; firmware updates the CPU there",
  });
}

/** Throws BootError if the kernel cannot start /init, whose e_machine is `machine`: it is for another architecture, or its pages are too large. */
export function refuseOtherKernel({ kernel, config, facts }: KernelOfImage, machine: number): void {
  const own = nameMachine(machine);
  if (facts !== null && facts.architecture !== own) {
    throw new BootError(`the kernel is for ${facts.architecture}, but /init is for ${own}`, {
      hint: `name a kernel for ${own} with --linux FILE, or a levain for ${facts.architecture} with --init FILE`,
    });
  }
  if (machine !== EM.AARCH64) return;
  const bytes = facts?.pageBytes ?? pagesByConfig(config) ?? pagesByFile(kernel);
  if (bytes === null || bytes <= PAGE_MAX_BYTES) return;
  throw new BootError(`levain's runtime does not run on this kernel: its pages are of ${bytes >> 10} KiB`, {
    seen: kernel === null ? [] : [`kernel ${kernel.version}`],
    hint: "choose a kernel with pages of 4 KiB (CONFIG_ARM64_4K_PAGES), which most distributions have",
  });
}

/** CeilingOnPageSize of WebKit, for Linux on ARM64, as in build/stage0/aarch64.h. */
export const PAGE_MAX_BYTES = 16_384;

/** arch/arm64/Kconfig: exactly one of them is set. */
const PAGE_OPTIONS: Readonly<Record<string, number>> = {
  ARM64_4K_PAGES: 4096,
  ARM64_16K_PAGES: 16_384,
  ARM64_64K_PAGES: 65_536,
};

function pagesByConfig(config: KernelConfig | null): number | null {
  const set = Object.entries(PAGE_OPTIONS).find(([option]) => config?.(option) === true);
  return set?.[1] ?? null;
}

function pagesByFile(kernel: KernelChoice | null): number | null {
  const path = kernel && kernelPlaces(kernel).find(isFile);
  const bytes = path ? readKernelBytes(path) : null;
  return (bytes && readKernelFacts(bytes)?.pageBytes) ?? null;
}
