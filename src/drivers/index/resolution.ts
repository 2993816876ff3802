import { findByAlias } from "./alias-table.ts";
import type { SoftDependency } from "./kernel-files.ts";
import type { ModprobeConfig } from "./modprobe-config.ts";
import { findModule, isBuiltin, type ModuleIndex } from "./module-index.ts";
import { normalizeAlias } from "./names.ts";
import { matchesWildcard } from "./wildcard.ts";

/** One action in order: load a file, follow an install command, or nothing for a built-in module. */
export type ModuleAction =
  /** `path` is below /lib/modules/VERSION. */
  | (Loading & { readonly do: "load"; readonly path: string })
  /** `path` is the module's file, because levain runs no commands; null if the name has only a command. */
  | (Loading & { readonly do: "install"; readonly command: string; readonly path: string | null })
  | { readonly do: "builtin"; readonly name: string };

interface Loading {
  readonly name: string;
  readonly parameters: string;
  /** False for a soft dependency, which may fail. */
  readonly required: boolean;
}

/** A requested module, and the actions that load it. */
export interface Target {
  readonly name: string;
  /** The alias that led to it; null if it was requested by name. */
  readonly alias: string | null;
  /** A blacklist keeps a module from being loaded by its aliases, not by its own name (modprobe.d(5)). */
  readonly blacklisted: boolean;
  readonly actions: readonly ModuleAction[];
  /** Names of dependencies that the index does not have. */
  readonly missing: readonly string[];
}

/** Where modules are looked up. */
export interface ModuleSource {
  readonly index: ModuleIndex;
  readonly config: ModprobeConfig;
}

/**
 * Resolves a name or alias in the order of `modprobe --show-depends` (libkmod's kmod_module_get_probe_list), each module once;
 * empty if there is none. `everySoftdep` honours all softdep lines of a module, where kmod uses only the first: without a
 * /sbin/modprobe for the kernel to call, the others must be loaded in advance.
 */
export function resolveModule(source: ModuleSource, given: string, everySoftdep = false): readonly Target[] {
  return lookUp(source, given).map(({ name, alias }) => {
    const walk = createWalk(source, everySoftdep);
    walk.visit(name, alias, true);
    const blacklisted = alias !== null && source.config.blacklist.includes(name);
    return { name, alias, blacklisted, actions: walk.actions(), missing: [...walk.missing] };
  });
}

/** Returns the names of all modules that loading these takes, with every soft dependency. */
export function namesToLoad(source: ModuleSource, names: readonly string[]): ReadonlySet<string> {
  const walk = createWalk(source, true);
  for (const given of names) for (const { name, alias } of lookUp(source, given)) walk.visit(name, alias, true);
  return new Set(walk.actions().map(({ name }) => name));
}

type Found = Pick<Target, "name" | "alias">;

/** As kmod_module_new_from_lookup: the configuration's aliases, then names, then the kernel's aliases, then built-in modules. */
function lookUp({ index, config }: ModuleSource, given: string): readonly Found[] {
  const alias = normalizeAlias(given);
  if (alias === null || alias === "") return [];
  const byConfig = config.aliases.filter(({ pattern }) => matchesWildcard(pattern, alias)).map(({ module }) => module);
  if (byConfig.length > 0) return aliased(byConfig, alias);
  if (findModule(index, alias) !== null) return [{ name: alias, alias: null }];
  if (config.install.some(({ pattern }) => pattern === alias)) return [{ name: alias, alias: null }];
  const byKernel = findByAlias(index.aliases, alias);
  if (byKernel.length > 0) return aliased(byKernel, alias);
  if (isBuiltin(index, alias)) return [{ name: alias, alias: null }];
  return aliased(findByAlias(index.builtinAliases, alias), alias);
}

function aliased(names: readonly string[], alias: string): readonly Found[] {
  return [...new Set(names)].map((name) => ({ name, alias }));
}

/** As libkmod's __kmod_module_get_probe_list: dependencies, each with its soft dependencies around it, then the module. */
function createWalk(source: ModuleSource, everySoftdep: boolean) {
  const { index, config } = source;
  const visited = new Set<string>();
  const listed = new Map<string, ModuleAction>();
  const missing = new Set<string>();
  const needed = new Set<string>();
  const softDependencies = new Map<string, readonly SoftDependency[]>();

  function visit(name: string, alias: string | null, required: boolean): void {
    if (visited.has(name)) return;
    visited.add(name);
    const dependencies = [...(findModule(index, name)?.dependencies ?? [])].reverse();
    if (required) for (const need of [name, ...dependencies]) needed.add(need);
    for (const dependency of dependencies) surround(dependency, null);
    surround(name, alias);
  }

  function surround(name: string, alias: string | null): void {
    const soft = softDependencies.get(name) ?? softDependenciesOf(config.softDependencies, name, everySoftdep);
    softDependencies.set(name, soft);
    const pre = soft.flatMap((entry) => entry.pre).flatMap((wanted) => lookUp(source, wanted));
    const post = soft.flatMap((entry) => entry.post).flatMap((wanted) => lookUp(source, wanted));
    for (const found of pre) visit(found.name, found.alias, false);
    list(name, alias, pre.length + post.length > 0);
    for (const found of post) visit(found.name, found.alias, false);
  }

  function list(name: string, alias: string | null, ignoresInstall: boolean): void {
    if (listed.has(name)) return;
    const action = actionFor(source, name, alias, ignoresInstall);
    if (action === null) missing.add(name);
    else listed.set(name, action);
  }

  const actions = (): readonly ModuleAction[] =>
    [...listed.values()].map((action) =>
      "required" in action ? { ...action, required: needed.has(action.name) } : action,
    );
  return { missing, visit, actions };
}

/** kmod uses only the first line that matches. */
function softDependenciesOf(lines: readonly SoftDependency[], name: string, every: boolean): readonly SoftDependency[] {
  const found = lines.filter(({ pattern }) => matchesWildcard(pattern, name));
  return every ? found : found.slice(0, 1);
}

function actionFor(
  source: ModuleSource,
  name: string,
  alias: string | null,
  ignoresInstall: boolean,
): ModuleAction | null {
  const { index, config } = source;
  const install = ignoresInstall ? undefined : config.install.find(({ pattern }) => matchesWildcard(pattern, name));
  const path = findModule(index, name)?.path ?? null;
  const parameters = parametersFor(config, name, alias);
  if (install !== undefined)
    return { do: "install", name, command: install.command, path, parameters, required: false };
  if (path !== null) return { do: "load", name, path, parameters, required: false };
  return isBuiltin(index, name) ? { do: "builtin", name } : null;
}

function parametersFor(config: ModprobeConfig, name: string, alias: string | null): string {
  const entries = config.options.filter((entry) => entry.name === name || entry.name === alias);
  return entries.map((entry) => entry.parameters).join(" ");
}
