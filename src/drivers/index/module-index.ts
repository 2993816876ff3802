import { type AliasTable, buildAliasTable, readAliasTable } from "./alias-table.ts";
import {
  type AliasLine,
  type DependencyLine,
  parseBuiltinAliases,
  parseDependencies,
  parsePathList,
} from "./kernel-files.ts";
import { findLines, sortLines } from "./sorted-lines.ts";

/** What loading needs to know about one kernel's modules, as text tables that need no parsing before a lookup. */
export interface ModuleIndex {
  /** `uname -r`. */
  readonly kernel: string;
  /** Sorted lines "NAME\tORDER\tPATH DEPENDENCY…": the place in modules.order, the file below /lib/modules/KERNEL, and the names of all dependencies, the last loaded first. */
  readonly modules: string;
  /** The names of built-in modules, as sorted lines. */
  readonly builtin: string;
  /** The text of modules.softdep. */
  readonly softDependencies: string;
  readonly aliases: AliasTable;
  readonly builtinAliases: AliasTable;
}

/** The text files of depmod for an index; a missing one is "". */
export interface KernelFiles {
  readonly dep: string;
  readonly alias: string;
  readonly softdep: string;
  readonly order: string;
  readonly builtin: string;
  readonly builtinModinfo: string;
}

/** The parts of an index. */
export interface IndexParts {
  /** In the order in which several modules for one device are loaded. */
  readonly modules: readonly DependencyLine[];
  readonly aliases: readonly AliasLine[];
  readonly builtin: readonly string[];
  readonly builtinAliases: readonly AliasLine[];
  readonly softDependencies: string;
}

/** Builds the index from depmod's text files. */
export function buildModuleIndex(kernel: string, files: KernelFiles): ModuleIndex {
  const modules = inOrder(parseDependencies(files.dep), parsePathList(files.order));
  const index = indexModules(kernel, {
    modules,
    aliases: [],
    builtin: parsePathList(files.builtin),
    builtinAliases: parseBuiltinAliases(files.builtinModinfo),
    softDependencies: files.softdep,
  });
  return { ...index, aliases: readAliasTable(files.alias, placeIn(modules)) };
}

/** Builds the index from its parts. */
export function indexModules(kernel: string, parts: IndexParts): ModuleIndex {
  const line = ({ name, path, dependencies }: DependencyLine, place: number) =>
    `${name}\t${place}\t${[path, ...dependencies].join(" ")}`;
  return {
    kernel,
    modules: sortLines(parts.modules.map(line)),
    builtin: sortLines(parts.builtin),
    softDependencies: parts.softDependencies,
    aliases: buildAliasTable(parts.aliases, placeIn(parts.modules)),
    builtinAliases: buildAliasTable(parts.builtinAliases, () => 0),
  };
}

function placeIn(modules: readonly DependencyLine[]): (module: string) => number {
  const places = new Map(modules.map(({ name }, place) => [name, place]));
  return (module) => places.get(module) ?? modules.length;
}

/** Sorts by modules.order; modules that it does not name come last. */
function inOrder(modules: readonly DependencyLine[], order: readonly string[]): readonly DependencyLine[] {
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = (line: DependencyLine) => places.get(line.name) ?? order.length;
  return [...modules].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Returns the file and the dependencies of a module; null if the index has none of that name (in normal form). */
export function findModule(index: ModuleIndex, name: string): DependencyLine | null {
  const [line] = findLines(index.modules, `${name}\t`);
  return line === undefined ? null : parseLine(name, line);
}

/** Lists every module, in order. */
export function listModules(index: ModuleIndex): readonly DependencyLine[] {
  const lines = index.modules.split("\n").slice(0, -1);
  const placed = lines.map((line) => {
    const tab = line.indexOf("\t");
    const rest = line.slice(tab + 1);
    return { place: Number.parseInt(rest, 10), module: parseLine(line.slice(0, tab), rest) };
  });
  return placed.sort((a, b) => a.place - b.place).map(({ module }) => module);
}

/** Returns true if the module is built into the kernel. */
export function isBuiltin(index: ModuleIndex, name: string): boolean {
  return findLines(index.builtin, name).includes("");
}

function parseLine(name: string, line: string): DependencyLine {
  const [path = "", ...dependencies] = line.slice(line.indexOf("\t") + 1).split(" ");
  return { name, path, dependencies };
}
