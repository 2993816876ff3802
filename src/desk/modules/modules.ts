import { join } from "node:path";
import { readModinfo } from "../../drivers/index/modinfo.ts";
import { parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { buildModuleIndex, findModule, listModules, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { moduleNameOf, normalizeName } from "../../drivers/index/names.ts";
import { type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { matchesWildcard } from "../../drivers/index/wildcard.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes, contentOfFile } from "../archive/content.ts";
import { nearMisses } from "../near-misses.ts";
import { type FirmwareFile, findFirmware } from "./firmware.ts";
import type { KernelChoice } from "./kernel.ts";
import { plainPath, readModuleFile } from "./module-file.ts";
import { cutLists, type ModuleFile, readKernelFiles } from "./module-lists.ts";
import { DEFAULT_MODULES } from "./module-table.ts";

/** What decides which modules an image gets. */
export interface ModuleWish {
  readonly kernel: KernelChoice;
  /** --module: names and aliases on top of the default ones. */
  readonly add: readonly string[];
  /** Instead of DEFAULT_MODULES. */
  readonly patterns?: readonly string[];
  /** Where firmware is looked for, in this order. */
  readonly firmwareDirs?: readonly string[];
}

/** The modules of an image. */
export interface ModuleSelection {
  /** Modules, firmware, depmod's lists cut to these modules, and the index that the boot reads. */
  readonly files: readonly ModuleFile[];
  readonly names: readonly string[];
  /** What was asked for and is part of the kernel itself. */
  readonly builtin: readonly string[];
  /** Firmware that a module names and this host does not have. */
  readonly missingFirmware: readonly string[];
  /** Of all module files together. */
  readonly moduleBytes: number;
}

/** Chooses the modules for an image: the default table's and `add`, with all that they need. Throws BootError for a name that the kernel does not have. */
export function selectModules(wish: ModuleWish): ModuleSelection {
  const { version, modulesDir } = wish.kernel;
  const texts = readKernelFiles(modulesDir);
  const index = buildModuleIndex(version, texts);
  const source = { index, config: parseModprobeConfig([{ name: "modules.softdep", text: texts.softdep }]) };
  const { wanted, builtin } = namesAsked(source, wish.add);
  const names = closeOver(source, [...namesByPattern(index, wish.patterns ?? DEFAULT_MODULES), ...wanted]);
  const modules = names.map((name) => readModule(index, wish.kernel, name));
  const firmware = findFirmware(
    modules.flatMap((module) => module.firmware),
    version,
    wish.firmwareDirs,
  );
  return {
    files: [
      ...modules.map((module) => module.file),
      ...firmware.files.map(firmwareEntry),
      ...cutLists(index, names, texts),
    ],
    names,
    builtin,
    missingFirmware: firmware.missing,
    moduleBytes: modules.reduce((sum, { file }) => sum + file.content.size, 0),
  };
}

function namesByPattern(index: ModuleIndex, patterns: readonly string[]): readonly string[] {
  const chosen = new Set<string>();
  const all = listModules(index);
  for (const line of patterns) {
    const taken = line.startsWith("!");
    const pattern = `kernel/${taken ? line.slice(1) : line}.ko`;
    for (const { name, path } of all) {
      if (!matchesWildcard(pattern, plainPath(path))) continue;
      if (taken) chosen.delete(name);
      else chosen.add(name);
    }
  }
  return [...chosen];
}

function namesAsked(
  source: ModuleSource,
  add: readonly string[],
): { readonly wanted: readonly string[]; readonly builtin: readonly string[] } {
  const wanted: string[] = [];
  const builtin: string[] = [];
  for (const given of add) {
    // A file's name is as good as the module's.
    const targets = resolveModule(source, /\.ko(\.\w+)?$/.test(given) ? moduleNameOf(given) : given);
    if (targets.length === 0) throw unknownModule(source.index, given);
    for (const { name } of targets) (findModule(source.index, name) === null ? builtin : wanted).push(name);
  }
  return { wanted, builtin };
}

/** The error for a name that the kernel has not, with the names that may have been meant in `seen`. */
export function unknownModule(index: ModuleIndex, given: string): BootError {
  const near = nearMisses(normalizeName(given), listNames(index));
  return new BootError(`the kernel ${index.kernel} has no module and no alias "${given}"`, {
    seen: near,
    hint:
      near.length > 0
        ? "take one of these, or leave --module out"
        : "find its name with modinfo or lsmod on a machine that uses it",
  });
}

function listNames(index: ModuleIndex): readonly string[] {
  return listModules(index).map(({ name }) => name);
}

/** All that these modules need, with every soft dependency: what is loaded is decided later, what is missing stays missing. */
function closeOver(source: ModuleSource, names: readonly string[]): readonly string[] {
  const actions = names.flatMap((name) => resolveModule(source, name, true)).flatMap((target) => target.actions);
  const needed = new Set(actions.filter((action) => action.do === "load").map((action) => action.name));
  return listNames(source.index).filter((name) => needed.has(name));
}

function readModule(
  index: ModuleIndex,
  kernel: KernelChoice,
  name: string,
): { readonly file: ModuleFile; readonly firmware: readonly string[] } {
  const path = findModule(index, name)?.path ?? "";
  const hostPath = join(kernel.modulesDir, path);
  const bytes = readModuleFile(hostPath);
  // What is stored as it is on this host is read again when it is its turn, so that not all of it is in memory at once.
  const content = path === plainPath(path) ? contentOfFile(hostPath, bytes.length) : contentOfBytes(bytes);
  const firmware = readModinfo(bytes)
    .filter(({ key }) => key === "firmware")
    .map(({ value }) => value);
  return { file: { path: `/lib/modules/${kernel.version}/${plainPath(path)}`, content }, firmware };
}

function firmwareEntry({ name, hostPath, size }: FirmwareFile): ModuleFile {
  return { path: `/lib/firmware/${name}`, content: contentOfFile(hostPath, size) };
}
