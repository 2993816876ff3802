import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readModinfo } from "../../drivers/index/modinfo.ts";
import type { KernelFiles } from "../../drivers/index/module-index.ts";
import { moduleNameOf } from "../../drivers/index/names.ts";
import { partsOfScan, type ScannedModule } from "../../drivers/index/scanned-modules.ts";
import { BootError } from "../../problems/errors.ts";
import { attempt, fileBelow, isFile } from "../host.ts";
import { createModuleReader, plainPath } from "./module-file.ts";

/** The lists of a kernel's modules, and what a person should know about where they come from. */
export interface KernelLists extends KernelFiles {
  readonly warnings: readonly string[];
}

type DepmodLists = Pick<KernelFiles, "dep" | "alias" | "softdep">;

/**
 * Reads the lists of a kernel's modules. Those of depmod are made from the modules themselves if one of them is missing, empty or
 * cut off: so they are before a package manager runs depmod, and after a crash. Throws BootError for a directory without
 * modules, and if a list of the kernel's own build is missing, which nothing can replace. `root`: of the system that they are in.
 */
export function readKernelFiles(modulesDir: string, root = "/"): KernelLists {
  const read = (name: string) => readList(join(modulesDir, name));
  const written = { dep: read("modules.dep"), alias: read("modules.alias"), softdep: read("modules.softdep") };
  const unusable = Object.entries(written).flatMap(([name, text]) => (isWhole(text) ? [] : [`modules.${name}`]));
  const paths = unusable.length === 0 ? [] : findModulePaths(modulesDir, root);
  // Before any module is read, which takes some seconds for a distribution's kernel.
  const order = readBuildList(modulesDir, "modules.order", "which of several drivers for one device is loaded first");
  const builtin = readBuildList(modulesDir, "modules.builtin", "which drivers are in the kernel itself");
  return {
    ...(unusable.length === 0 ? written : makeLists((path) => fileBelow(root, join(modulesDir, path)), paths)),
    ...{ order, builtin },
    // Only the aliases of built-in drivers are in it, for which a boot loads nothing.
    builtinModinfo: read("modules.builtin.modinfo"),
    warnings:
      unusable.length === 0
        ? []
        : [
            `${modulesDir} has no usable ${unusable.join(", ")}: dependencies and aliases are made from the modules themselves (depmod creates these lists)`,
          ],
  };
}

/** Returns whether a list is complete: neither depmod nor the kernel's build writes an empty one, and every line has its end. */
function isWhole(text: string): boolean {
  return text.endsWith("\n");
}

function readList(path: string): string {
  return attempt(`cannot read ${path}`, () =>
    statSync(path, { throwIfNoEntry: false }) === undefined ? "" : readFileSync(path, "utf8"),
  );
}

/** Reads a list that `make modules_install` writes. */
function readBuildList(modulesDir: string, name: string, purpose: string): string {
  const text = readList(join(modulesDir, name));
  if (isWhole(text)) return text;
  throw new BootError(`${join(modulesDir, name)} is missing, empty or cut off`, {
    cause: new BootError(`it lists ${purpose}`),
    hint: 'reinstall the kernel package (or run make modules_install); if this kernel really has none, write the line "#" into the file',
  });
}

function makeLists(fileOf: (path: string) => string, paths: readonly string[]): DepmodLists {
  const read = createModuleReader(paths.map(fileOf));
  const scanned = paths.map((path): ScannedModule => ({ path, modinfo: readModinfo(read(fileOf(path))) }));
  const { modules, aliases, softDependencies } = partsOfScan(scanned, { builtin: [], builtinAliases: [] });
  const pathByName = new Map(modules.map(({ name, path }) => [name, path]));
  const pathOf = (name: string) => pathByName.get(name) ?? `${name}.ko`;
  return {
    dep: modules.map(({ path, dependencies }) => `${[`${path}:`, ...dependencies.map(pathOf)].join(" ")}\n`).join(""),
    alias: aliases.map(({ pattern, module }) => `alias ${pattern} ${module}\n`).join(""),
    softdep: softDependencies,
  };
}

/** depmod.d(5): by default updates/ comes before the kernel's own modules, which come before those linked from another kernel. */
const SEARCH_ORDER = [/^(updates|extra)\//, /^(?!weak-updates\/)/, /^/];

/** Lists the modules of a tree; of several with one name the first that depmod would take. Throws BootError if there is none. */
function findModulePaths(modulesDir: string, root: string): readonly string[] {
  const rank = (path: string) => SEARCH_ORDER.findIndex((pattern) => pattern.test(path));
  const sorted = walk(modulesDir, root, "").sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const first = new Map<string, string>();
  for (const path of sorted) if (!first.has(moduleNameOf(path))) first.set(moduleNameOf(path), path);
  if (first.size > 0) return [...first.values()];
  throw new BootError(`no kernel modules in ${modulesDir}`, {
    hint: "name a directory such as /lib/modules/VERSION, or build an image without modules: --kernel none",
  });
}

/** Follows links to files (weak-updates), but not to directories: build and source lead to the kernel's sources. */
function walk(modulesDir: string, root: string, below: string): string[] {
  const directory = join(modulesDir, below);
  const entries = attempt(`cannot read ${directory}`, () => readdirSync(directory, { withFileTypes: true }));
  return entries.flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return walk(modulesDir, root, path);
    return plainPath(path).endsWith(".ko") && isFile(fileBelow(root, join(modulesDir, path))) ? [path] : [];
  });
}
