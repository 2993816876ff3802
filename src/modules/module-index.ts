import { type AliasTable, buildAliasTable } from "./alias-table.ts";
import {
  type AliasLine,
  type DependencyLine,
  parseAliases,
  parseBuiltinAliases,
  parseDependencies,
  parsePathList,
} from "./kernel-files.ts";

/**
 * All that loading needs to know about one kernel's modules. Plain data: `levain image` writes it as JSON, so that a
 * boot reads one file and looks only at what it is asked for.
 */
export interface ModuleIndex {
  readonly version: 1;
  /** `uname -r`. */
  readonly kernel: string;
  /** name → "PATH DEPENDENCY…": the file below /lib/modules/KERNEL and the names of all that it needs, the last loaded first. In the order of modules.order. */
  readonly modules: Readonly<Record<string, string>>;
  /** The names of what is built in, a blank before and after each. */
  readonly builtin: string;
  /** modules.softdep as it is. */
  readonly softDependencies: string;
  readonly aliases: AliasTable;
  readonly builtinAliases: AliasTable;
}

/** Where the builder puts the index, below /lib/modules/VERSION. */
export const INDEX_NAME = "levain-modules.json";

/** The text files of depmod that an index is made from; a missing one is "". */
export interface KernelFiles {
  readonly dep: string;
  readonly alias: string;
  readonly softdep: string;
  readonly order: string;
  readonly builtin: string;
  readonly builtinModinfo: string;
}

/** Makes the index from depmod's text files. */
export function buildModuleIndex(kernel: string, files: KernelFiles): ModuleIndex {
  const aliases = parseAliases(files.alias);
  const modules = inOrder(parseDependencies(files.dep), parsePathList(files.order));
  return indexModules(kernel, modules, aliases, {
    builtin: parsePathList(files.builtin),
    builtinAliases: parseBuiltinAliases(files.builtinModinfo),
    softDependencies: files.softdep,
  });
}

/** Makes the index of some modules, given in their order. */
export function indexModules(
  kernel: string,
  modules: readonly DependencyLine[],
  aliases: readonly AliasLine[],
  rest: {
    readonly builtin: readonly string[];
    readonly builtinAliases: readonly AliasLine[];
    readonly softDependencies: string;
  },
): ModuleIndex {
  const order = new Map(modules.map(({ name }, place) => [name, place]));
  return {
    version: 1,
    kernel,
    modules: Object.fromEntries(
      modules.map(({ name, path, dependencies }) => [name, [path, ...dependencies].join(" ")]),
    ),
    builtin: ` ${rest.builtin.join(" ")} `,
    softDependencies: rest.softDependencies,
    aliases: buildAliasTable(aliases, (module) => order.get(module) ?? modules.length),
    builtinAliases: buildAliasTable(rest.builtinAliases, () => 0),
  };
}

/** Several modules for one device are loaded in the order of modules.order; one that it does not name comes last. */
function inOrder(modules: readonly DependencyLine[], order: readonly string[]): readonly DependencyLine[] {
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = (line: DependencyLine) => places.get(line.name) ?? order.length;
  return [...modules].sort((a, b) => placeOf(a) - placeOf(b));
}

/** The file and the dependencies of a module in the index; null where it has none of that name (in normal form). */
export function findModule(index: ModuleIndex, name: string): DependencyLine | null {
  const line = Object.hasOwn(index.modules, name) ? index.modules[name] : undefined;
  if (typeof line !== "string") return null;
  const [path = "", ...dependencies] = line.split(" ");
  return { name, path, dependencies };
}

/** True where the kernel contains the module itself. */
export function isBuiltin(index: ModuleIndex, name: string): boolean {
  return index.builtin.includes(` ${name} `);
}

/** Reads the JSON that the builder wrote; null where it is not that. */
export function parseModuleIndex(text: string): ModuleIndex | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isIndex(value) ? value : null;
}

/** What is in the tables is checked when it is looked up: a boot looks at few of them. */
function isIndex(value: unknown): value is ModuleIndex {
  if (!isRecord(value) || value.version !== 1) return false;
  const { kernel, modules, builtin, softDependencies, aliases, builtinAliases } = value;
  const texts = [kernel, builtin, softDependencies].every((part) => typeof part === "string");
  return texts && isRecord(modules) && isTable(aliases) && isTable(builtinAliases);
}

function isTable(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value.lengths) || !isRecord(value.patterns)) return false;
  const lengths = Object.values(value.lengths);
  return lengths.every((list) => Array.isArray(list) && list.every(Number.isInteger));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
