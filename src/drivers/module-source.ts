import type { Machine } from "../machine/machine.ts";
import { bytesOrNone, listOrNone, textOrNone } from "../machine/small-files.ts";
import type { BootPlan } from "../plan/plan.ts";
import type { ModuleGap } from "../problems/diagnoses/drivers.ts";
import { readBinaryParts } from "./index/binary-index.ts";
import { INDEX_NAME, parseIndex } from "./index/index-file.ts";
import { parseBuiltinAliases, parsePathList } from "./index/kernel-files.ts";
import {
  type ConfigFile,
  MODPROBE_DIRECTORIES,
  type ModprobeConfig,
  parseModprobeConfig,
} from "./index/modprobe-config.ts";
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
import { listModuleFiles, listModuleTree, scanModules } from "./module-files.ts";
import { findUnpackFailure } from "./unpack-failure.ts";

/** The image's modules for the running kernel. */
export interface ImageModules extends ModuleSource {
  /** …/lib/modules/VERSION; the paths of the index are below it. */
  readonly directory: string;
  /** True if depmod's files are missing, so the .modinfo of each module was read. */
  readonly isScanned: boolean;
}

const ROOTS = ["/lib/modules", "/usr/lib/modules"];
/** Where an image for one kernel has its modules without a directory of its version: booster's, and tiny-initramfs' in "/" itself. */
const FLAT = [...ROOTS, "/"];

/** Reads the index that the builder wrote or, in a foreign image, depmod's files, or else the modules themselves; null if the image has no modules for this kernel. */
export function readImageModules(machine: Machine, wishes: BootPlan["modules"]): ImageModules | null {
  const { release } = machine.release();
  for (const root of ROOTS) {
    const directory = `${root}/${release}`;
    const found = readIndex(machine, directory, release);
    if (found !== null) return { directory, ...found, config: readConfig(machine, found.index, wishes) };
  }
  return readFlatModules(machine, release, wishes);
}

function readFlatModules(machine: Machine, release: string, wishes: BootPlan["modules"]): ImageModules | null {
  for (const directory of FLAT) {
    const modules = scanModules(machine, directory, listModuleFiles(machine, directory));
    if (modules.length === 0) continue;
    const index = indexModules(release, partsOfScan(modules, { builtin: [], builtinAliases: [] }));
    return { directory, index, isScanned: true, config: readConfig(machine, index, wishes) };
  }
  return null;
}

/** Returns which modules the image has instead of those for the running kernel; null if it has those, in any layout, or lost them because the kernel could not unpack all of it. */
export function findModuleGap(machine: Machine): ModuleGap | null {
  const { release } = machine.release();
  const names = [...new Set(ROOTS.flatMap((root) => listOrNone(machine, root)))];
  const isOurs = ROOTS.some((root) => listOrNone(machine, `${root}/${release}`).length > 0);
  const isFlat = FLAT.some((root) => listModuleFiles(machine, root).length > 0);
  return isOurs || isFlat || findUnpackFailure(machine) !== null
    ? null
    : { release, kernels: names.filter((name) => name !== release) };
}

function readIndex(
  machine: Machine,
  directory: string,
  release: string,
): Omit<ImageModules, "directory" | "config"> | null {
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
  const readBinary = (name: string) => bytesOrNone(machine, `${directory}/modules.${name}.bin`);
  const binary = readBinaryParts(readBinary, files.softdep);
  if (binary !== null) return { index: indexModules(release, binary), isScanned: false };
  const scanned = readModulesThemselves(machine, directory, files);
  if (scanned !== null) return { index: indexModules(release, scanned), isScanned: true };
  return files.dep === "" ? null : { index: buildModuleIndex(release, files), isScanned: false };
}

/** Without depmod's files every module is read, which takes some milliseconds each. */
function readModulesThemselves(machine: Machine, directory: string, files: KernelFiles): IndexParts | null {
  const modules = scanModules(machine, directory, listModuleTree(machine, directory));
  if (modules.length === 0) return null;
  return partsOfScan(modules, {
    builtin: parsePathList(files.builtin),
    builtinAliases: parseBuiltinAliases(files.builtinModinfo),
  });
}

/** modprobe.d, followed by the command line. */
function readConfig(machine: Machine, index: ModuleIndex, wishes: BootPlan["modules"]): ModprobeConfig {
  const files = MODPROBE_DIRECTORIES.flatMap((directory): readonly ConfigFile[] =>
    listOrNone(machine, directory)
      .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
      .map((name) => ({ name, text: textOrNone(machine, `${directory}/${name}`) })),
  );
  const config = parseModprobeConfig([...files, { name: "modules.softdep", text: index.softDependencies }]);
  const given = Object.entries(wishes.parameters);
  const options = given.map(([name, parameters]) => ({ name: normalizeName(name), parameters }));
  return {
    ...config,
    options: [...config.options, ...options],
    blacklist: [...config.blacklist, ...wishes.blacklist.map(normalizeName)],
  };
}
