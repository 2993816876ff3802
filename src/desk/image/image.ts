import { release } from "node:os";
import { resolve } from "node:path";
import { SHELL_PASSWORD_FILE } from "../../keys/shell-password.ts";
import { IMAGE_KEY_LIST } from "../../plan/key-list.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { Manifest } from "../../plan/manifest.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { PlanInput } from "../../plan/plan-input.ts";
import { warnOfUnboundRoot } from "../../plan/warnings.ts";
import type { Voice } from "../../problems/voice.ts";
import { contentOfBytes } from "../archive/content.ts";
import { layOutEarly, layOutImage, measureArchives, writeArchives } from "../archive/layout.ts";
import { estimateMemory } from "../archive/memory.ts";
import { checkStandardOutput, checkWritable, writeToStandardOutput, writeWhole } from "../archive/output.ts";
import { type ImageTree, putEntry, sortEntries } from "../archive/tree.ts";
import { addBootHooks } from "../extras/boot-hook.ts";
import { runHooks } from "../extras/hook.ts";
import { findMicrocode } from "../extras/microcode.ts";
import { stripTree } from "../extras/strip.ts";
import { type HostImage, planOfHost, prepareHost } from "../hints/image-hints.ts";
import { warnOfCompression, warnOfLackingOptions, warnOfNoModules } from "../kernels/lacking-options.ts";
import { type ConfiguredKernel, chooseConfiguredKernel } from "../kernels/without-modules.ts";
import { firmwareDirectories } from "../modules/firmware.ts";
import { modulesRootsOf } from "../modules/kernel.ts";
import { refuseMicrocode, refuseOtherKernel, refuseOtherPrograms } from "../program/architecture.ts";
import { refuseBrokenCheckers } from "../program/checkers.ts";
import { addBusybox, addProgram } from "../program/program.ts";
import { chooseForm, type ImageForm } from "../uki/image-form.ts";
import { addFromHost, lookAtAdditions } from "./addition.ts";
import { refuseContradictions } from "./contradictions.ts";
import { addModules, reportFirmware } from "./image-modules.ts";
import { findWaysIn, lockBusybox } from "./kernel-fallback.ts";
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
  const job = decide(options, voice);
  const { kernel, form, plans, manifest } = job;
  const output = isPiped ? STANDARD_OUTPUT : resolve(options.output ?? form.name);
  if (isPiped) checkStandardOutput();
  const place = isPiped ? null : checkWritable(output);
  if (kernel !== null) {
    const warnings = [
      ...warnOfCompression(kernel, options.compression.method),
      ...warnOfLackingOptions(kernel, plans),
      ...warnOfNoModules(kernel, options.modules),
    ];
    for (const warning of warnings) voice.warn(warning);
  }

  const { tree, isInitCompressed, ...content } = fillTree(job);
  addText(tree, "/etc/levain.json", `${JSON.stringify(manifest, null, 2)}\n`);
  // stage0 does not read JSON.
  addText(tree, "/etc/levain.cmdline", formatPolicyWords(manifest.parameters));
  if (options.shellPassword !== null) addText(tree, SHELL_PASSWORD_FILE, `${options.shellPassword}\n`, 0o600);
  const waysIn = findWaysIn(tree, plans[0].rescue.shell, voice);
  lockBusybox(tree, plans[0].rescue.shell);
  const secrets = findSecrets(tree, plans);
  const exposure = place === null ? warnOfStandardOutput(secrets) : warnOfReaders(secrets, output, place);
  if (exposure !== null) voice.warn(exposure);
  const keys = findKeys(tree, plans);
  // The boot removes these before it starts a shell.
  if (keys.length > 0) addText(tree, IMAGE_KEY_LIST, keys.map((path) => `${path}\0`).join(""));

  const entries = sortEntries(tree);
  const early = options.microcode
    ? findMicrocode(job.host?.hints.cpu ?? null, voice, firmwareDirectories(options.root)[1])
    : [];
  const archives = [...layOutEarly(early), ...layOutImage(entries, options.compression, isInitCompressed)];
  const chunks = form.wrap(writeArchives(archives, voice));
  const unpackedBytes = measureArchives(archives);
  const imageBytes = await (isPiped ? writeToStandardOutput(chunks) : writeWhole(output, chunks));
  const memory = estimateMemory([...early, ...entries], imageBytes);
  const sizes = { entryCount: entries.length, unpackedBytes, imageBytes, memory };
  return { output, kernel, uki: form.uki, ...content, ...waysIn, ...sizes };
}

/** Decides what goes into the image. Throws BootError for parameters that a boot would refuse, while they can still be corrected. */
function decide(options: ImageOptions, voice: Voice): Job {
  const added = lookAtAdditions(options.additions);
  const host = prepareHost(options, added, voice);
  const keymap = options.keymaps[0] ?? host?.keymap?.name;
  // The first three come first, so that a later parameter overrides them.
  const parameters = [
    ...(options.shellPassword === null ? [] : ["rdshell=ask"]),
    ...(keymap === undefined ? [] : [`rd.vconsole.keymap=${keymap}`]),
    ...(host?.hints.parameters ?? []),
    ...options.parameters,
  ];
  const { root } = options;
  const kernel = chooseConfiguredKernel(options, modulesRootsOf(root), root === "/" ? release() : "");
  const form = chooseForm(options.uki, kernel, root);
  const manifest = makeManifest(options, kernel?.version ?? null, parameters);
  const input = {
    cmdline: form.cmdline,
    manifest,
    ...added,
    crypttab: added.crypttab ?? host?.crypttab ?? null,
    isPart: true,
  };
  const { plans, warnings } = planAll(options, input);
  const [plan] = plans;
  refuseContradictions({ options, plan, hasFile: added.hasFile });
  for (const warning of [...warnings, ...warnOfUnboundRoot(plan)]) voice.warn(warning);
  return {
    options,
    kernel,
    form,
    manifest,
    plans,
    host: host && { ...host, plan: planOfHost(host.hints, input, voice) ?? plan },
    voice,
  };
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
  readonly kernel: ConfiguredKernel | null;
  readonly form: ImageForm;
  readonly manifest: Manifest;
  readonly plans: Plans;
  /** With the plan of a boot with the present command line of the machine. */
  readonly host: (HostImage & { readonly plan: BootPlan }) | null;
  readonly voice: Voice;
}

function fillTree({ options, kernel, form, plans, host, voice }: Job) {
  const tree: ImageTree = new Map();
  addSkeleton(tree);
  const { machine, isCompressed, runtime } = addRuntime(tree, options.init, options.runtime, kernel?.config ?? null);
  if (runtime.warning !== null) voice.warn(runtime.warning);
  refuseOtherKernel({ kernel, config: kernel?.config ?? null, facts: form.facts }, machine);
  if (options.microcode) refuseMicrocode(machine);
  addPrograms(tree, { options, plans, host }, machine);
  const modules =
    kernel?.hasModules === true ? addModules(tree, kernel, options, { plans, host, machine, voice }) : null;
  addKeymaps(tree, [...options.keymaps, ...plans.flatMap(({ keymap }) => keymap ?? [])], host?.keymap ?? null);
  if (host?.crypttab != null) addText(tree, "/etc/crypttab", host.crypttab);
  runHooks(tree, options.hooks, kernel, voice);
  addBootHooks(tree, options.bootHooks, machine);
  for (const addition of [...(host?.additions ?? []), ...options.additions]) addFromHost(tree, addition, voice);
  refuseOtherPrograms(tree, machine);
  refuseBrokenCheckers(tree);
  if (options.strip) stripTree(tree, voice);
  return {
    tree,
    isInitCompressed: isCompressed,
    runtime,
    moduleCount: modules?.count ?? 0,
    modprobeDirs: modules?.modprobeDirs ?? [],
    lackingFirmware: reportFirmware(tree, modules?.lackingFirmware ?? [], voice),
  };
}

function addPrograms(
  tree: ImageTree,
  { options, plans, host }: Pick<Job, "options" | "plans" | "host">,
  machine: number,
) {
  // If no shell may start, BusyBox stays out: rdinit= on the command line could start it.
  addBusybox(tree, options.busybox ?? (plans[0].rescue.shell === false ? "none" : null), machine);
  for (const program of [...(host?.programs ?? []), ...options.programs]) addProgram(tree, program, program, machine);
}

function addText(tree: ImageTree, path: string, text: string, mode = 0o644): void {
  putEntry(tree, { kind: "file", path, mode, content: contentOfBytes(text) });
}
