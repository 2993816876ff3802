import { MODPROBE_DIRECTORIES } from "../../drivers/index/modprobe-config.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { contentOfBytes, contentOfFile } from "../archive/content.ts";
import { findEntry, type ImageTree, putEntry } from "../archive/tree.ts";
import type { Hints } from "../hints/schema.ts";
import { FIRMWARE_ENDINGS, findFirmware, firmwareDirectories } from "../modules/firmware.ts";
import { keptBeside, needsNetwork } from "../modules/host-selection.ts";
import { warnOfKeptOut } from "../modules/kept-out.ts";
import type { KernelChoice } from "../modules/kernel.ts";
import {
  chooseModprobeDirectories,
  keepObeyedLines,
  type ModprobeFile,
  modprobeHost,
  readModprobeFiles,
} from "../modules/modprobe-files.ts";
import { DEFAULT_MODULES, NETWORK_MODULES, WATCHDOG_MODULES } from "../modules/module-table.ts";
import { type ModuleSelection, selectModules } from "../modules/modules.ts";
import { refuseOtherModules } from "../program/architecture.ts";
import type { ImageOptions } from "./options.ts";
import { refuseReserved } from "./reserved.ts";

/** What was decided before: the plans, and the machine that the image is for, with the plan of a boot with its present command line. */
interface Decisions {
  readonly plans: readonly BootPlan[];
  readonly host: { readonly hints: Hints; readonly plan: BootPlan } | null;
  /** e_machine of /init. */
  readonly machine: number;
  readonly voice: Voice;
}

/** Adds the modules that a kernel needs to reach its root, and the modprobe.d files for them. */
export function addModules(
  tree: ImageTree,
  kernel: KernelChoice,
  options: ImageOptions,
  { plans, host, machine: initMachine, voice }: Decisions,
) {
  const { root } = options;
  const firmwareDirs = firmwareDirectories(root);
  voice.progress("reading modules");
  const modprobeDirs = chooseModprobeDirectories(options.modprobeDirs, kernel, modprobeHost(root));
  // An ordinary user cannot read all files of a hardened host, and did not ask for them.
  const unreadable = options.modprobeDirs === null ? voice.warn : null;
  const config = addModprobeFiles(tree, readModprobeFiles(modprobeDirs, unreadable), voice);
  // Modules that the image's own parameters load have to be in it.
  const loaded = [...new Set(plans.flatMap(({ modules }) => modules.load))];
  const add = [...options.modules, ...loaded];
  const hasNetwork = options.network || plans.some(({ network }) => network.isNeeded);
  const machine = host && {
    hints: host.hints,
    needsNetwork: hasNetwork || needsNetwork(host.hints, [host.plan]),
    keeps: keptBeside(host.hints, [...plans, host.plan]),
  };
  const selection = selectModules({
    kernel,
    add,
    config,
    ...{ root, firmwareDirs },
    isPacked: true,
    patterns: [
      ...DEFAULT_MODULES,
      ...(hasNetwork && machine === null ? NETWORK_MODULES : []),
      ...(plans.some(({ watchdogSeconds }) => watchdogSeconds !== null) ? WATCHDOG_MODULES : []),
    ],
    ...(machine !== null && { host: machine }),
  });
  refuseOtherModules(selection, kernel, initMachine);
  const { files, names, lackingFirmware, warnings } = selection;
  for (const warning of [...warnings, ...warnOfKeptOut(selection, config, loaded)]) voice.warn(warning);
  for (const { path, content } of files) putEntry(tree, { kind: "file", path, mode: 0o644, content });
  addFirmware(tree, options.firmware, kernel.version, firmwareDirs);
  return { count: names.length, modprobeDirs, lackingFirmware };
}

/** Adds the files of --firmware, by their names below /lib/firmware or their paths. Throws BootError if one is missing. */
function addFirmware(tree: ImageTree, given: readonly string[], version: string, directories: readonly string[]): void {
  const names = given.map((name) => name.replace(/^(?:\/usr)?\/lib\/firmware\//, ""));
  const { files, missing } = findFirmware(names, version, directories);
  if (missing.length > 0) {
    throw new BootError(`this system has no firmware ${missing.map(printable).join(", ")}`, {
      hint: "name a file below /lib/firmware, such as i915/skl_dmc_ver1_27.bin, or install its package",
    });
  }
  for (const { name, hostPath, size } of files) {
    putEntry(tree, {
      kind: "file",
      path: `/lib/firmware/${name}`,
      mode: 0o644,
      content: contentOfFile(hostPath, size),
    });
  }
}

/** More files than that share one warning: openSUSE has twenty. */
const MOST_WARNINGS = 3;

/**
 * Adds the files of modprobe.d(5) as far as a boot obeys them, with a mode that lets everyone read them: a file that others cannot
 * read counts as a key, which the boot removes when it fails (findSecrets).
 */
function addModprobeFiles(tree: ImageTree, files: readonly ModprobeFile[], voice: Voice): readonly ModprobeFile[] {
  const obeyed = files.map((file) => ({ from: file.path, ...keepObeyedLines(file) }));
  const warnings = obeyed.flatMap(({ warning }) => warning ?? []);
  const isMany = warnings.length > MOST_WARNINGS;
  const said = isMany ? [`${warnings.length} files of modprobe.d have such lines: ${warnings[0]}`] : warnings;
  for (const warning of said) voice.warn(printable(warning));
  return obeyed.map(({ from, file: kept }) => {
    const path = `${MODPROBE_DIRECTORIES[0]}/${kept.name}`;
    refuseReserved(from, path);
    putEntry(tree, { kind: "file", path, mode: 0o644, content: contentOfBytes(kept.text) });
    return kept;
  });
}

/** Returns the modules without any of their firmware in the image; warns of those that were asked for by name. */
export function reportFirmware(tree: ImageTree, lacking: ModuleSelection["lackingFirmware"], voice: Voice) {
  const isThere = (name: string) =>
    FIRMWARE_ENDINGS.some((ending) => findEntry(tree, `/lib/firmware/${name}${ending}`)?.kind === "file");
  const left = lacking.filter(({ firmware }) => !firmware.some(isThere));
  for (const { name, firmware } of left.filter(({ isAsked }) => isAsked)) {
    voice.warn(
      `the module ${name} needs firmware that this host does not have (${firmware.map(printable).join(", ")}): install its package, or add the file with --add FILE:/lib/firmware/NAME`,
    );
  }
  return left.map(({ name }) => name);
}
