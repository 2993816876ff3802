import { listModules, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { moduleNameOf } from "../../drivers/index/names.ts";
import { matchesWildcard } from "../../drivers/index/wildcard.ts";
import { plainPath } from "./module-file.ts";

/** Where the kernel's own modules are, below /lib/modules/VERSION. */
const OWN = "kernel/";

/**
 * Creates what returns the path of a module in the kernel's own tree, without the suffix of its compression, by modules.order. A
 * module that replaces one of the kernel's own is elsewhere (updates of DKMS, extra of akmods, weak-updates of SUSE's packages), but the
 * directory says what a module is for: to the table of default modules, and to the order in which a boot loads drivers.
 */
export function createOwnPaths(order: string): (name: string, path: string) => string {
  let known: ReadonlyMap<string, string> | null = null;
  return (name, path) => {
    if (path.startsWith(OWN)) return plainPath(path);
    known ??= new Map(order.split("\n").map((line) => [moduleNameOf(line), line]));
    return known.get(name) ?? plainPath(path);
  };
}

/** Returns the names of the modules that match patterns as in module-table.ts. */
export function namesByPattern(
  index: ModuleIndex,
  patterns: readonly string[],
  ownPath: (name: string, path: string) => string,
): readonly string[] {
  const chosen = new Set<string>();
  const all = listModules(index).map(({ name, path }) => ({ name, path: ownPath(name, path) }));
  for (const line of patterns) {
    const taken = line.startsWith("!");
    const pattern = `kernel/${taken ? line.slice(1) : line}.ko`;
    // Most paths of a distribution's thousands differ before the first wildcard.
    const literal = pattern.slice(0, pattern.search(/[*?[\\]|$/));
    for (const { name, path } of all) {
      if (!path.startsWith(literal) || !matchesWildcard(pattern, path)) continue;
      if (taken) chosen.delete(name);
      else chosen.add(name);
    }
  }
  return [...chosen];
}
