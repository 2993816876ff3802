import { resolve } from "node:path";
import { IMAGE_KEY_LIST } from "../../plan/key-list.ts";
import { makePlan, type PlanInput } from "../../plan/make-plan.ts";
import type { Manifest } from "../../plan/manifest.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { warnOfUnboundRoot } from "../../plan/warnings.ts";
import type { Voice } from "../../problems/voice.ts";
import type { Compression } from "../archive/compress.ts";
import { contentOfBytes } from "../archive/content.ts";
import { layOutImage, measureArchives, writeArchives } from "../archive/layout.ts";
import { estimateMemory } from "../archive/memory.ts";
import { checkStandardOutput, checkWritable, writeToStandardOutput, writeWhole } from "../archive/output.ts";
import { findEntry, type ImageTree, putEntry, sortEntries } from "../archive/tree.ts";
import { chooseKernel, type KernelChoice } from "../modules/kernel.ts";
import { canUnpack, type KernelConfig, readKernelConfig } from "../modules/kernel-config.ts";
import { refuseBrokenCheckers } from "../program/checkers.ts";
import { addBusybox, addProgram } from "../program/program.ts";
import { chooseForm } from "../uki/image-form.ts";
import { addFromHost, lookAtAdditions } from "./addition.ts";
import { refuseContradictions } from "./contradictions.ts";
import { addModules, reportFirmware } from "./image-modules.ts";
import { findFallbacks, warnOfWaysIn } from "./kernel-fallback.ts";
import { addKeymaps } from "./keymap.ts";
import type { ImageOptions } from "./options.ts";
import { formatPolicyWords } from "./policy.ts";
import { addRuntime } from "./runtime.ts";
import { findKeys, findSecrets, warnOfReaders, warnOfStandardOutput } from "./secrets.ts";
import { addSkeleton } from "./skeleton.ts";

/** As `output`: standard output. */
export const STANDARD_OUTPUT = "-";

/** The result of `buildImage`. */
export type ImageSummary = Awaited<ReturnType<typeof buildImage>>;

function makeManifest({ machines }: ImageOptions, kernel: string | null, parameters: readonly string[]): Manifest {
  return { version: 1, kernel, parameters, ...(Object.keys(machines).length === 0 ? {} : { machines }) };
}

/** Builds an initramfs and writes it completely or not at all. Throws BootError. */
export async function buildImage(options: ImageOptions, voice: Voice) {
  const isPiped = options.output === STANDARD_OUTPUT;
  const [keymap] = options.keymaps;
  // First, so that a later keymap parameter overrides it.
  const parameters =
    keymap === undefined ? options.parameters : [`rd.vconsole.keymap=${keymap}`, ...options.parameters];
  const kernel = chooseKernel(options);
  const form = chooseForm(options.uki, kernel);
  const manifest = makeManifest(options, kernel?.version ?? null, parameters);
  const additions = lookAtAdditions(options.additions);
  // Refuses parameters that the boot would refuse, while they can still be corrected.
  const { plans, warnings } = planAll(options, { cmdline: form.cmdline, manifest, ...additions, isPart: true });
  const [plan] = plans;
  refuseContradictions({ options, plan, hasFile: additions.hasFile });
  for (const warning of [...warnings, ...warnOfUnboundRoot(plan)]) voice.warn(warning);
  const output = isPiped ? STANDARD_OUTPUT : resolve(options.output ?? form.name);
  if (isPiped) checkStandardOutput();
  const place = isPiped ? null : checkWritable(output);
  const config = kernel && readKernelConfig(kernel);
  if (kernel && config) warnOfCompression(kernel, config, options.compression, voice);

  const { tree, isInitCompressed, ...content } = fillTree({ options, kernel, config, plans, voice });
  addText(tree, "/etc/levain.json", `${JSON.stringify(manifest, null, 2)}\n`);
  // stage0 does not read JSON.
  addText(tree, "/etc/levain.cmdline", formatPolicyWords(parameters));
  const waysIn = findWaysIn(tree, plan.rescue.shell !== false, voice);
  const secrets = findSecrets(tree, plans);
  const exposure = place === null ? warnOfStandardOutput(secrets) : warnOfReaders(secrets, output, place);
  if (exposure !== null) voice.warn(exposure);
  const keys = findKeys(tree, plans);
  // The boot removes these before it starts a shell.
  if (keys.length > 0) addText(tree, IMAGE_KEY_LIST, keys.map((path) => `${path}\0`).join(""));

  const entries = sortEntries(tree);
  const archives = layOutImage(entries, options.compression, isInitCompressed);
  const chunks = form.wrap(writeArchives(archives, voice));
  const unpackedBytes = measureArchives(archives);
  const imageBytes = await (isPiped ? writeToStandardOutput(chunks) : writeWhole(output, chunks));
  const memory = estimateMemory(entries, imageBytes);
  const sizes = { entryCount: entries.length, unpackedBytes, imageBytes, memory };
  return { output, kernel, uki: form.uki, ...content, ...waysIn, ...sizes };
}

/** The plan of a machine without a table [machine."…"], and one for each table. */
type Plans = readonly [BootPlan, ...BootPlan[]];

function planAll({ machines }: ImageOptions, input: PlanInput): { plans: Plans; warnings: readonly string[] } {
  const common = makePlan(input);
  const own = Object.values(machines).map((machineParameters) => makePlan({ ...input, machineParameters }));
  const warnings = new Set([common, ...own].flatMap((made) => made.warnings));
  return { plans: [common.plan, ...own.map(({ plan }) => plan)], warnings: [...warnings] };
}

interface Job {
  readonly options: ImageOptions;
  readonly kernel: KernelChoice | null;
  readonly config: KernelConfig | null;
  readonly plans: Plans;
  readonly voice: Voice;
}

function fillTree({ options, kernel, config, plans, voice }: Job) {
  const tree: ImageTree = new Map();
  addSkeleton(tree);
  const { machine, isCompressed, runtime } = addRuntime(tree, options.init, options.runtime, config);
  if (runtime.warning !== null) voice.warn(runtime.warning);
  // If no shell may start, BusyBox stays out: rdinit= on the command line could start it.
  addBusybox(tree, options.busybox ?? (plans[0].rescue.shell === false ? "none" : null), machine);
  for (const program of options.programs) addProgram(tree, program, program, machine);
  const modules = kernel && addModules(tree, kernel, options, plans, voice);
  addKeymaps(tree, [...options.keymaps, ...plans.flatMap(({ keymap }) => keymap ?? [])]);
  for (const addition of options.additions) addFromHost(tree, addition, voice);
  refuseBrokenCheckers(tree);
  return {
    tree,
    isInitCompressed: isCompressed,
    runtime,
    moduleCount: modules?.count ?? 0,
    modprobeDirs: modules?.modprobeDirs ?? [],
    lackingFirmware: reportFirmware(tree, modules?.lackingFirmware ?? [], voice),
  };
}

/** Finds the ways to a shell that levain does not control; warns if the image's own parameters forbid one. */
function findWaysIn(tree: ImageTree, allowsShell: boolean, voice: Voice) {
  const hasBusybox = tree.has("/bin/busybox");
  const fallbacks = findFallbacks((path) => findEntry(tree, path));
  if (!allowsShell) for (const warning of warnOfWaysIn(fallbacks, hasBusybox)) voice.warn(warning);
  return { fallbacks, hasBusybox };
}

function addText(tree: ImageTree, path: string, text: string): void {
  putEntry(tree, { kind: "file", path, mode: 0o644, content: contentOfBytes(text) });
}

function warnOfCompression(kernel: KernelChoice, config: KernelConfig, { method }: Compression, voice: Voice): void {
  if (canUnpack(config, method) !== false) return;
  const fault = method === "none" ? "an initramfs" : `an initramfs compressed with ${method}`;
  voice.warn(`kernel ${kernel.version} is configured without support for ${fault}: it cannot boot this image`);
}
