import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { isErrno } from "../problems/errors.ts";
import { readBinaryParts } from "./index/binary-index.ts";
import { INDEX_NAME, parseIndex } from "./index/index-file.ts";
import { parseBuiltinAliases, parsePathList } from "./index/kernel-files.ts";
import { type ConfigFile, type ModprobeConfig, parseModprobeConfig } from "./index/modprobe-config.ts";
import {
  buildModuleIndex,
  type IndexParts,
  indexModules,
  type KernelFiles,
  type ModuleIndex,
} from "./index/module-index.ts";
import { normalizeName } from "./index/names.ts";
import type { ModuleSource } from "./index/resolution.ts";
import { partsOfScan } from "./index/scanned-modules.ts";
import { listModuleFiles, listModuleTree, scanModules } from "./module-scan.ts";

/** The image's modules for the running kernel. */
export interface ImageModules extends ModuleSource {
  /** …/lib/modules/VERSION; the paths of the index are below it. */
  readonly directory: string;
  /** True where depmod's files are missing, and the modules were asked themselves. */
  readonly isScanned: boolean;
}

const ROOTS = ["/lib/modules", "/usr/lib/modules"];
/** In modprobe's order: of two files with one name the first counts. */
const CONFIG_DIRECTORIES = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

/** Reads the index that the builder wrote or, in a foreign image, depmod's files, or else what the modules say themselves; null where there are no modules for this kernel. */
export function readImageModules(machine: Machine, wishes: BootPlan["modules"]): ImageModules | null {
  const { release } = machine.release();
  for (const root of ROOTS) {
    const directory = `${root}/${release}`;
    const found = readIndex(machine, directory, release);
    if (found !== null) return { directory, ...found, config: readConfig(machine, found.index, wishes) };
  }
  return readFlatModules(machine, release, wishes);
}

/** booster's images are for one kernel, and have its modules in /usr/lib/modules itself. */
function readFlatModules(machine: Machine, release: string, wishes: BootPlan["modules"]): ImageModules | null {
  for (const directory of ROOTS) {
    const modules = scanModules(machine, directory, listModuleFiles(machine, directory));
    if (modules.length === 0) continue;
    const index = indexModules(release, partsOfScan(modules, { builtin: [], builtinAliases: [] }));
    return { directory, index, isScanned: true, config: readConfig(machine, index, wishes) };
  }
  return null;
}

/** The kernels that the image has modules for. */
export function listKernels(machine: Machine): readonly string[] {
  return [...new Set(ROOTS.flatMap((root) => listOrNone(machine, root)))];
}

type Found = Pick<ImageModules, "index" | "isScanned">;

function readIndex(machine: Machine, directory: string, release: string): Found | null {
  const made = parseIndex(textOrNone(machine, `${directory}/${INDEX_NAME}`));
  if (made?.kernel === release) return { index: made, isScanned: false };
  const read = (name: string) => textOrNone(machine, `${directory}/${name}`);
  const files: KernelFiles = {
    dep: read("modules.dep"),
    alias: read("modules.alias"),
    softdep: read("modules.softdep"),
    order: read("modules.order"),
    builtin: read("modules.builtin"),
    builtinModinfo: read("modules.builtin.modinfo"),
  };
  if (files.dep !== "" && files.alias !== "") return { index: buildModuleIndex(release, files), isScanned: false };
  const binary = readBinaryFiles(machine, directory);
  if (binary !== null) return { index: indexModules(release, binary), isScanned: false };
  const scanned = readModulesThemselves(machine, directory, files);
  if (scanned !== null) return { index: indexModules(release, scanned), isScanned: true };
  return files.dep === "" ? null : { index: buildModuleIndex(release, files), isScanned: false };
}

/** mkinitcpio leaves depmod's text files out. */
function readBinaryFiles(machine: Machine, directory: string): IndexParts | null {
  const read = (name: string) => bytesOrNone(machine, `${directory}/modules.${name}.bin`);
  const files = {
    dep: read("dep"),
    alias: read("alias"),
    builtin: read("builtin"),
    builtinAlias: read("builtin.alias"),
  };
  return readBinaryParts(files, textOrNone(machine, `${directory}/modules.softdep`));
}

/** Without depmod's files the modules are asked themselves, which takes some milliseconds for each of them. */
function readModulesThemselves(machine: Machine, directory: string, files: KernelFiles): IndexParts | null {
  const modules = scanModules(machine, directory, listModuleTree(machine, directory));
  if (modules.length === 0) return null;
  return partsOfScan(modules, {
    builtin: parsePathList(files.builtin),
    builtinAliases: parseBuiltinAliases(files.builtinModinfo),
  });
}

/** modprobe.d and, after it, what the command line says. */
function readConfig(machine: Machine, index: ModuleIndex, wishes: BootPlan["modules"]): ModprobeConfig {
  const files = CONFIG_DIRECTORIES.flatMap((directory): readonly ConfigFile[] =>
    listOrNone(machine, directory)
      .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
      .map((name) => ({ name, text: textOrNone(machine, `${directory}/${name}`) })),
  );
  const config = parseModprobeConfig([...files, { name: "modules.softdep", text: index.softDependencies }]);
  const options = Object.entries(wishes.parameters).map(([name, parameters]) => ({
    name: normalizeName(name),
    parameters,
  }));
  return {
    ...config,
    options: [...config.options, ...options],
    blacklist: [...config.blacklist, ...wishes.blacklist.map(normalizeName)],
  };
}

/** Most of these files and directories are in few images only: a missing one is an empty one. */
function bytesOrNone(machine: Machine, path: string): Uint8Array {
  try {
    return machine.readFile(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return new Uint8Array();
    throw error;
  }
}

function textOrNone(machine: Machine, path: string): string {
  return new TextDecoder().decode(bytesOrNone(machine, path));
}

function listOrNone(machine: Machine, directory: string): readonly string[] {
  try {
    return machine.listDirectory(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
