import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { readModinfo } from "../../drivers/index/modinfo.ts";
import { parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { buildModuleIndex, findModule, listModules, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { moduleNameOf, normalizeName } from "../../drivers/index/names.ts";
import { type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { matchesWildcard } from "../../drivers/index/wildcard.ts";
import { nearMisses } from "../../parameters/near-misses.ts";
import { BootError } from "../../problems/errors.ts";
import { contentOfBytes, contentOfFile } from "../archive/content.ts";
import type { KernelChoice } from "./kernel.ts";
import { plainPath, readModuleFile } from "./module-file.ts";
import { cutLists, readKernelFiles } from "./module-lists.ts";
import { DEFAULT_MODULES } from "./module-table.ts";

/** Which modules an image is to contain. */
export interface ModuleRequest {
  readonly kernel: KernelChoice;
  /** --module: names and aliases to add to the default modules. */
  readonly add: readonly string[];
  /** Instead of DEFAULT_MODULES. */
  readonly patterns?: readonly string[];
  readonly firmwareDirs?: readonly string[];
}

/** The result of `selectModules`. */
export type ModuleSelection = ReturnType<typeof selectModules>;

/** Selects modules by the default table and `add`, with their dependencies. Throws BootError for an unknown name. */
export function selectModules(request: ModuleRequest) {
  const { version, modulesDir } = request.kernel;
  const texts = readKernelFiles(modulesDir);
  const index = buildModuleIndex(version, texts);
  const source = { index, config: parseModprobeConfig([{ name: "modules.softdep", text: texts.softdep }]) };
  const { wanted, builtin } = namesAsked(source, request.add);
  const names = closeOver(source, [...namesByPattern(index, request.patterns ?? DEFAULT_MODULES), ...wanted]);
  const modules = names.map((name) => readModule(index, request.kernel, name));
  const firmware = findFirmware(
    modules.flatMap((module) => module.firmware),
    version,
    request.firmwareDirs,
  );
  return {
    /** Modules, firmware, depmod's lists for these modules, and the index that the boot reads. */
    files: [
      ...modules.map((module) => module.file),
      ...firmware.files.map(({ name, hostPath, size }) => ({
        path: `/lib/firmware/${name}`,
        content: contentOfFile(hostPath, size),
      })),
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

function namesAsked(source: ModuleSource, add: readonly string[]) {
  const wanted: string[] = [];
  const builtin: string[] = [];
  for (const given of add) {
    // The name of a module's file is accepted, too.
    const targets = resolveModule(source, /\.ko(\.\w+)?$/.test(given) ? moduleNameOf(given) : given);
    if (targets.length === 0) throw unknownModule(source.index, given);
    for (const { name } of targets) (findModule(source.index, name) === null ? builtin : wanted).push(name);
  }
  return { wanted, builtin };
}

/** Returns the error for an unknown module, with similar names in `seen`. */
export function unknownModule(index: ModuleIndex, given: string): BootError {
  const near = nearMisses(normalizeName(given), listNames(index));
  return new BootError(`kernel ${index.kernel} has no module or alias "${given}"`, {
    seen: near,
    hint:
      near.length > 0
        ? "use one of these names, or leave --module out"
        : "run lsmod on a machine that uses the module to find its name",
  });
}

function listNames(index: ModuleIndex): readonly string[] {
  return listModules(index).map(({ name }) => name);
}

/** Returns these modules with their dependencies, soft ones included: the boot decides what it loads. */
function closeOver(source: ModuleSource, names: readonly string[]): readonly string[] {
  const actions = names.flatMap((name) => resolveModule(source, name, true)).flatMap((target) => target.actions);
  const needed = new Set(actions.filter((action) => action.do === "load").map((action) => action.name));
  return listNames(source.index).filter((name) => needed.has(name));
}

function readModule(index: ModuleIndex, kernel: KernelChoice, name: string) {
  const path = findModule(index, name)?.path ?? "";
  const hostPath = join(kernel.modulesDir, path);
  const bytes = readModuleFile(hostPath);
  // An uncompressed file is read again when it is written, so that the modules are not all in memory at once.
  const content = path === plainPath(path) ? contentOfFile(hostPath, bytes.length) : contentOfBytes(bytes);
  const firmware = readModinfo(bytes)
    .filter(({ key }) => key === "firmware")
    .map(({ value }) => value);
  return { file: { path: `/lib/modules/${kernel.version}/${plainPath(path)}`, content }, firmware };
}

const FIRMWARE_ENDINGS = ["", ".zst", ".xz"] as const;

/**
 * Finds the firmware of modules where the kernel will (drivers/base/firmware_loader): the directory of its version first, plain
 * before compressed. Names may contain wildcards. Files stay compressed: if a distribution compresses them, its kernel reads them.
 */
function findFirmware(
  wanted: readonly string[],
  version: string,
  directories: readonly string[] = ["/lib/firmware/updates", "/lib/firmware"],
) {
  const places = directories.flatMap((directory) => [join(directory, version), directory]);
  const files = new Map<string, ReturnType<typeof fileAt>[number]>();
  const missing: string[] = [];
  for (const name of [...new Set(wanted)].sort()) {
    // The name comes from the module's file and must not leave the directory.
    const found = name.split("/").includes("..") || name.startsWith("/") ? [] : findOne(name, places);
    if (found.length === 0) missing.push(name);
    for (const file of found) files.set(file.name, file);
  }
  return { files: [...files.values()], missing };
}

function findOne(name: string, places: readonly string[]) {
  for (const place of places) {
    for (const ending of FIRMWARE_ENDINGS) {
      const names = /[*?[]/.test(name) ? globSync(name + ending, { cwd: place }).sort() : [name + ending];
      const found = names.flatMap((each) => fileAt(place, each));
      if (found.length > 0) return found;
    }
  }
  return [];
}

/** Returns a file with its name below /lib/firmware and its size in bytes. */
function fileAt(place: string, name: string) {
  const hostPath = join(place, name);
  const status = statSync(hostPath, { throwIfNoEntry: false });
  return status?.isFile() ? [{ name, hostPath, size: status.size }] : [];
}
