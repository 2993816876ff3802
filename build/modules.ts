import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../src/errors.ts";
import { type AliasLine, parseAliases, parseBuiltinAliases, parsePathList, readLines } from "../src/modules/kernel-files.ts";
import { parseModprobeConfig } from "../src/modules/modprobe-config.ts";
import { buildModuleIndex, findModule, INDEX_NAME, indexModules, type KernelFiles, type ModuleIndex } from "../src/modules/module-index.ts";
import { moduleNameOf, normalizeName } from "../src/modules/names.ts";
import { type ModuleSource, resolveModule } from "../src/modules/resolution.ts";
import { matchesWildcard } from "../src/modules/wildcard.ts";
import { attempt } from "./attempt.ts";
import { type Content, contentOfBytes, contentOfFile } from "./content.ts";
import { type FirmwareFile, findFirmware } from "./firmware.ts";
import type { KernelChoice } from "./kernel.ts";
import { readModinfo } from "./modinfo.ts";
import { plainPath, readModuleFile } from "./module-file.ts";
import { DEFAULT_MODULES } from "./module-table.ts";
import { nearMisses } from "./near-misses.ts";

export interface ModuleWish {
  readonly kernel: KernelChoice;
  /** --module: names and aliases on top of the default ones. */
  readonly add: readonly string[];
  /** Instead of DEFAULT_MODULES. */
  readonly patterns?: readonly string[];
  /** Where firmware is looked for, in this order. */
  readonly firmwareDirs?: readonly string[];
}

/** A file for the image; all have mode 0644. */
export interface ModuleFile {
  /** In the image, absolute. */
  readonly path: string;
  readonly content: Content;
}

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
  const firmware = findFirmware(modules.flatMap((module) => module.firmware), version, wish.firmwareDirs);
  return {
    files: [...modules.map((module) => module.file), ...firmware.files.map(firmwareEntry), ...listFiles(index, names, texts)],
    names,
    builtin,
    missingFirmware: firmware.missing,
    moduleBytes: modules.reduce((sum, { file }) => sum + file.content.size, 0),
  };
}

/** depmod's text files of a kernel. Throws BootError where there is no modules.dep. */
export function readKernelFiles(modulesDir: string): KernelFiles {
  const dep = attempt(
    `cannot read the list of modules in ${modulesDir}`,
    () => readFileSync(join(modulesDir, "modules.dep"), "utf8"),
    "make it with depmod (-b ROOT VERSION for a kernel that is not installed)",
  );
  const read = (name: string) => {
    const path = join(modulesDir, name);
    // Older kernels have not all of them, and an unused one is left out by some distributions.
    return statSync(path, { throwIfNoEntry: false }) ? attempt(`cannot read ${path}`, () => readFileSync(path, "utf8")) : "";
  };
  return {
    dep,
    alias: read("modules.alias"),
    softdep: read("modules.softdep"),
    order: read("modules.order"),
    builtin: read("modules.builtin"),
    builtinModinfo: read("modules.builtin.modinfo"),
  };
}

function namesByPattern(index: ModuleIndex, patterns: readonly string[]): readonly string[] {
  const chosen = new Set<string>();
  const all = Object.keys(index.modules).map((name) => ({ name, path: findModule(index, name)?.path ?? "" }));
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

function namesAsked(source: ModuleSource, add: readonly string[]): { readonly wanted: readonly string[]; readonly builtin: readonly string[] } {
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

function unknownModule(index: ModuleIndex, given: string): BootError {
  const near = nearMisses(normalizeName(given), Object.keys(index.modules));
  return new BootError(`the kernel ${index.kernel} has no module and no alias "${given}"`, {
    seen: near,
    hint: near.length > 0 ? "take one of these, or leave --module out" : "find its name with modinfo or lsmod on a machine that uses it",
  });
}

/** All that these modules need, with every soft dependency: what is loaded is decided later, what is missing stays missing. */
function closeOver(source: ModuleSource, names: readonly string[]): readonly string[] {
  const actions = names.flatMap((name) => resolveModule(source, name, true)).flatMap((target) => target.actions);
  const needed = new Set(actions.filter((action) => action.do === "load").map((action) => action.name));
  return Object.keys(source.index.modules).filter((name) => needed.has(name));
}

function readModule(index: ModuleIndex, kernel: KernelChoice, name: string): { readonly file: ModuleFile; readonly firmware: readonly string[] } {
  const path = findModule(index, name)?.path ?? "";
  const hostPath = join(kernel.modulesDir, path);
  const bytes = readModuleFile(hostPath);
  // What is stored as it is on this host is read again when it is its turn, so that not all of it is in memory at once.
  const content = path === plainPath(path) ? contentOfFile(hostPath, bytes.length) : contentOfBytes(bytes);
  const firmware = readModinfo(bytes).filter(({ key }) => key === "firmware").map(({ value }) => value);
  return { file: { path: `/lib/modules/${kernel.version}/${plainPath(path)}`, content }, firmware };
}

function firmwareEntry({ name, hostPath, size }: FirmwareFile): ModuleFile {
  return { path: `/lib/firmware/${name}`, content: contentOfFile(hostPath, size) };
}

/** The index for the boot, and depmod's text lists, which BusyBox's modprobe reads. */
function listFiles(index: ModuleIndex, names: readonly string[], texts: KernelFiles): readonly ModuleFile[] {
  const chosen = new Set(names);
  const modules = names.flatMap((name) => findModule(index, name) ?? []).map((line) => ({ ...line, path: plainPath(line.path) }));
  const aliases = parseAliases(texts.alias).filter(({ module }) => chosen.has(module));
  const softdep = readLines(texts.softdep).filter((line) => chosen.has(normalizeName(line.split(/\s+/)[1] ?? ""))).map((line) => `${line}\n`).join("");
  const image = indexModules(index.kernel, modules, aliases, {
    builtin: parsePathList(texts.builtin),
    builtinAliases: parseBuiltinAliases(texts.builtinModinfo),
    softDependencies: softdep,
  });
  const pathOf = (name: string) => plainPath(findModule(index, name)?.path ?? "");
  const lists = {
    [INDEX_NAME]: JSON.stringify(image),
    "modules.dep": modules.map(({ path, dependencies }) => `${[`${path}:`, ...dependencies.map(pathOf)].join(" ")}\n`).join(""),
    "modules.alias": aliases.map(formatAlias).join(""),
    "modules.softdep": softdep,
    "modules.order": modules.map(({ path }) => `${path}\n`).join(""),
    "modules.builtin": texts.builtin,
  };
  return Object.entries(lists).map(([name, text]) => ({ path: `/lib/modules/${index.kernel}/${name}`, content: contentOfBytes(text) }));
}

function formatAlias({ pattern, module }: AliasLine): string {
  return `alias ${pattern} ${module}\n`;
}
