import { MODPROBE_DIRECTORIES } from "../../drivers/index/modprobe-config.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { contentOfBytes } from "../archive/content.ts";
import { findEntry, type ImageTree, putEntry } from "../archive/tree.ts";
import { FIRMWARE_ENDINGS } from "../modules/firmware.ts";
import { readHostUse, withPlanned } from "../modules/host-modules.ts";
import { warnOfKeptOut } from "../modules/kept-out.ts";
import type { KernelChoice } from "../modules/kernel.ts";
import {
  chooseModprobeDirectories,
  keepObeyedLines,
  type ModprobeFile,
  readModprobeFiles,
} from "../modules/modprobe-files.ts";
import { DEFAULT_MODULES, NETWORK_MODULES } from "../modules/module-table.ts";
import { type ModuleSelection, selectModules } from "../modules/modules.ts";
import type { ImageOptions } from "./options.ts";
import { refuseReserved } from "./reserved.ts";

/** Adds the modules that a kernel needs to reach its root, and the modprobe.d files for them. */
export function addModules(
  tree: ImageTree,
  kernel: KernelChoice,
  options: ImageOptions,
  plans: readonly BootPlan[],
  voice: Voice,
) {
  voice.progress("reading modules");
  const modprobeDirs = chooseModprobeDirectories(options.modprobeDirs, kernel);
  // An ordinary user cannot read all files of a hardened host, and did not ask for them.
  const unreadable = options.modprobeDirs === null ? voice.warn : null;
  const config = addModprobeFiles(tree, readModprobeFiles(modprobeDirs, unreadable), voice);
  // Modules that the image's own parameters load have to be in it.
  const loaded = [...new Set(plans.flatMap(({ modules }) => modules.load))];
  const add = [...options.modules, ...loaded];
  const host = options.hostonly ? readHostUse() : null;
  const needsNetwork =
    options.network || plans.some(({ network }) => network.isNeeded) || host?.isRootOnNetwork === true;
  const selection = selectModules({
    kernel,
    add,
    config,
    isPacked: true,
    patterns: needsNetwork ? [...DEFAULT_MODULES, ...NETWORK_MODULES] : DEFAULT_MODULES,
    ...(host !== null && { host: plans.reduce(withPlanned, host) }),
  });
  const { files, names, lackingFirmware, warnings } = selection;
  for (const warning of [...warnings, ...warnOfKeptOut(selection, config, loaded)]) voice.warn(warning);
  for (const { path, content } of files) putEntry(tree, { kind: "file", path, mode: 0o644, content });
  return { count: names.length, modprobeDirs, lackingFirmware };
}

/**
 * Adds the files of modprobe.d(5) as far as a boot obeys them, with a mode that lets everyone read them: a file that others cannot
 * read counts as a key, which the boot removes when it fails (findSecrets).
 */
function addModprobeFiles(tree: ImageTree, files: readonly ModprobeFile[], voice: Voice): readonly ModprobeFile[] {
  return files.map((file) => {
    const { file: kept, warning } = keepObeyedLines(file);
    if (warning !== null) voice.warn(printable(warning));
    const path = `${MODPROBE_DIRECTORIES[0]}/${file.name}`;
    refuseReserved(file.path, path);
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
