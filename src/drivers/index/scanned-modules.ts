import { aliasLine, type DependencyLine } from "./kernel-files.ts";
import type { IndexParts } from "./module-index.ts";
import { moduleNameOf, normalizeName } from "./names.ts";

/** A module's file below /lib/modules/VERSION, and the strings of its .modinfo section. */
export interface ScannedModule {
  readonly path: string;
  readonly modinfo: readonly { readonly key: string; readonly value: string }[];
}

/** Builds the parts of an index for an image without depmod's files; keeps the order of the modules. */
export function partsOfScan(
  modules: readonly ScannedModule[],
  builtin: Pick<IndexParts, "builtin" | "builtinAliases">,
): IndexParts {
  const valuesOf = (module: ScannedModule, wanted: string) =>
    module.modinfo.flatMap(({ key, value }) => (key === wanted ? [value] : []));
  const named = (wanted: string) =>
    modules.flatMap((module) => valuesOf(module, wanted).map((value) => [moduleNameOf(module.path), value] as const));
  const needs = new Map(
    modules.map((module) => {
      const names = valuesOf(module, "depends").flatMap((value) => value.split(","));
      return [moduleNameOf(module.path), names.filter((name) => name !== "").map(normalizeName)];
    }),
  );
  return {
    modules: modules.map(({ path }): DependencyLine => {
      const name = moduleNameOf(path);
      return { name, path, dependencies: listNeeded(name, needs) };
    }),
    aliases: named("alias").flatMap(([name, alias]) => aliasLine(alias, name)),
    softDependencies: named("softdep")
      .map(([name, value]) => `softdep ${name} ${value}\n`)
      .join(""),
    ...builtin,
  };
}

/** Lists all dependencies of a module as modules.dep does: the last is loaded first. Ends on circles, which no kernel has. */
function listNeeded(name: string, needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const order: string[] = [];
  const seen = new Set([name]);
  const visit = (needed: string) => {
    if (seen.has(needed)) return;
    seen.add(needed);
    for (const next of needs.get(needed) ?? []) visit(next);
    order.push(needed);
  };
  for (const needed of needs.get(name) ?? []) visit(needed);
  return order.reverse();
}
