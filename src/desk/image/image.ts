import { resolve } from "node:path";
import { warnOfUnboundRoot } from "../../plan/binding.ts";
import { IMAGE_KEY_LIST } from "../../plan/key-list.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { Manifest } from "../../plan/manifest.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Compression, compress } from "../archive/compress.ts";
import { contentOfBytes } from "../archive/content.ts";
import { measureCpio, writeCpio } from "../archive/cpio.ts";
import { estimateMemory, type MemoryNeed } from "../archive/memory.ts";
import { checkStandardOutput, checkWritable, writeToStandardOutput, writeWhole } from "../archive/output.ts";
import { findEntry, type ImageTree, putEntry, sortEntries } from "../archive/tree.ts";
import { canUnpack, chooseKernel, type KernelChoice } from "../modules/kernel.ts";
import { selectModules } from "../modules/modules.ts";
import { addBusybox, addInit, addProgram } from "../program/program.ts";
import { type Addition, addFromHost } from "./addition.ts";
import { lookAtAdditions } from "./image-files.ts";
import { findFallbacks, warnOfWaysIn } from "./kernel-fallback.ts";
import { addKeymaps } from "./keymap.ts";
import { formatPolicyWords } from "./policy-words.ts";
import { findKeys, findSecrets, warnOfSecrets } from "./secrets.ts";
import { addSkeleton } from "./skeleton.ts";

/** As `output`: the image goes to the standard output. */
export const STANDARD_OUTPUT = "-";

/** All that `levain image` was asked for; null is "the usual". */
export interface ImageOptions {
  readonly output: string | null;
  /** A version, or "none". */
  readonly kernel: string | null;
  readonly modulesDir: string | null;
  /** Modules beside the usual ones. */
  readonly modules: readonly string[];
  /** A file, or "none". */
  readonly busybox: string | null;
  /** The program that becomes /init. */
  readonly init: string | null;
  readonly additions: readonly Addition[];
  /** Programs of this host that come in with their libraries, absolute paths. */
  readonly programs: readonly string[];
  /** Keymaps by name; the first is used where no parameter says otherwise. */
  readonly keymaps: readonly string[];
  readonly compression: Compression;
  /** Parameters that the image brings with it, weaker than the kernel's command line. */
  readonly parameters: readonly string[];
}

/** What came of it. */
export interface ImageSummary {
  readonly output: string;
  readonly kernel: KernelChoice | null;
  readonly moduleCount: number;
  readonly entryCount: number;
  /** What of it the kernel would start in place of an /init that is incomplete. */
  readonly fallbacks: readonly string[];
  /** False where there is no BusyBox, because the parameters forbid a shell or the options do. */
  readonly hasBusybox: boolean;
  /** Bytes before and after the compression. */
  readonly unpackedBytes: number;
  readonly imageBytes: number;
  readonly memory: MemoryNeed;
}

/** Builds an initramfs and writes it, whole or not at all. Throws BootError. */
export async function buildImage(options: ImageOptions, voice: Voice): Promise<ImageSummary> {
  const kernel = chooseKernel(options);
  const isPiped = options.output === STANDARD_OUTPUT;
  const output = isPiped ? STANDARD_OUTPUT : resolve(options.output ?? `initramfs-${kernel?.version ?? "none"}.img`);
  const [keymap] = options.keymaps;
  // The first: one among the parameters comes after it, and is stronger.
  const parameters =
    keymap === undefined ? options.parameters : [`rd.vconsole.keymap=${keymap}`, ...options.parameters];
  const manifest: Manifest = { version: 1, kernel: kernel?.version ?? null, parameters };
  // A parameter that the boot would refuse is refused here, where it can still be corrected.
  const { plan, warnings } = makePlan({ cmdline: "", manifest, ...lookAtAdditions(options.additions) });
  for (const warning of [...warnings, ...warnOfUnboundRoot(plan)]) voice.warn(warning);
  if (isPiped) checkStandardOutput();
  const place = isPiped ? null : checkWritable(output);
  if (kernel) warnOfCompression(kernel, options.compression, voice);

  const { tree, moduleCount } = fillTree(options, { kernel, manifest, plan }, voice);
  const waysIn = findWaysIn(tree, plan.rescue.shell !== false, voice);
  warnOfSecrets(findSecrets(tree, plan.crypt), output, place, voice);
  addKeyList(tree, findKeys(tree, plan.crypt));

  const entries = sortEntries(tree);
  const unpackedBytes = measureCpio(entries);
  const pieces = announce(writeCpio(entries), unpackedBytes, voice);
  const compressed = compress(pieces, options.compression);
  const imageBytes = await (isPiped ? writeToStandardOutput(compressed) : writeWhole(output, compressed));
  return {
    output,
    kernel,
    moduleCount,
    entryCount: entries.length,
    ...waysIn,
    unpackedBytes,
    imageBytes,
    memory: estimateMemory(entries, imageBytes),
  };
}

/** All that the image holds. */
function fillTree(
  options: ImageOptions,
  { kernel, manifest, plan }: Pick<ImageSummary, "kernel"> & { readonly manifest: Manifest; readonly plan: BootPlan },
  voice: Voice,
): { readonly tree: ImageTree; readonly moduleCount: number } {
  const tree: ImageTree = new Map();
  addSkeleton(tree);
  const machine = addInit(tree, options.init);
  addBusybox(tree, options.busybox ?? defaultBusybox(plan.rescue.shell !== false), machine);
  for (const program of options.programs) addProgram(tree, program, program, machine);
  const moduleCount = kernel ? addModules(tree, kernel, options.modules, voice) : 0;
  addKeymaps(tree, plan.keymap === null ? options.keymaps : [...options.keymaps, plan.keymap]);
  addManifest(tree, manifest);
  for (const addition of options.additions) addFromHost(tree, addition, voice);
  return { tree, moduleCount };
}

/** Where no shell may ever start, the program that is one stays out: rdinit= would start it. */
function defaultBusybox(allowsShell: boolean): string | null {
  return allowsShell ? null : "none";
}

/** How a shell could come out of the image, whatever levain decides; told where the image's own parameters forbid one. */
function findWaysIn(
  tree: ImageTree,
  allowsShell: boolean,
  voice: Voice,
): Pick<ImageSummary, "fallbacks" | "hasBusybox"> {
  const hasBusybox = tree.has("/bin/busybox");
  const fallbacks = findFallbacks((path) => findEntry(tree, path));
  if (!allowsShell) for (const warning of warnOfWaysIn(fallbacks, hasBusybox)) voice.warn(warning);
  return { fallbacks, hasBusybox };
}

/** Returns how many. */
function addModules(tree: ImageTree, kernel: KernelChoice, add: readonly string[], voice: Voice): number {
  voice.progress("reading modules");
  const { files, names, missingFirmware } = selectModules({ kernel, add });
  for (const { path, content } of files) putEntry(tree, { kind: "file", path, mode: 0o644, content });
  if (missingFirmware.length > 0) {
    voice.debug(`firmware that modules name and this host does not have: ${missingFirmware.join(", ")}`);
  }
  return names.length;
}

function addManifest(tree: ImageTree, manifest: Manifest): void {
  const content = contentOfBytes(`${JSON.stringify(manifest, null, 2)}\n`);
  putEntry(tree, { kind: "file", path: "/etc/levain.json", mode: 0o644, content });
  // stage0 reads no JSON.
  const words = contentOfBytes(formatPolicyWords(manifest.parameters));
  putEntry(tree, { kind: "file", path: "/etc/levain.cmdline", mode: 0o644, content: words });
}

/** What is removed before a shell starts, whatever the kernel command line says. */
function addKeyList(tree: ImageTree, keys: readonly string[]): void {
  if (keys.length === 0) return;
  const content = contentOfBytes(keys.map((path) => `${path}\0`).join(""));
  putEntry(tree, { kind: "file", path: IMAGE_KEY_LIST, mode: 0o644, content });
}

function warnOfCompression(kernel: KernelChoice, { method }: Compression, voice: Voice): void {
  if (canUnpack(kernel, method) !== false) return;
  const fault = method === "none" ? "an initramfs" : `an initramfs compressed with ${method}`;
  voice.warn(`the kernel ${kernel.version} is configured without support for ${fault}: it will not boot this image`);
}

/** Passes the pieces on and tells how far they are. */
function* announce(pieces: Iterable<Uint8Array>, total: number, voice: Voice): Generator<Uint8Array> {
  let done = 0;
  for (const piece of pieces) {
    yield piece;
    done += piece.length;
    voice.progress(`packing: ${Math.floor((done / total) * 100)} %`);
  }
}
