import type { Machine } from "../machine/machine.ts";
import { listOrNone } from "../machine/small-files.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { readModinfo } from "./index/modinfo.ts";
import type { ScannedModule } from "./index/scanned-modules.ts";
import { readPlainModule } from "./module-files.ts";

/** Links to the kernel's sources, which may be anywhere. */
const NOT_MODULES = new Set(["build", "source"]);
const MODULE_FILE = /\.ko(\.(gz|xz|zst))?$/;

/** Reads the .modinfo section of these module files of a directory; it is empty for a file that cannot be read here, such as one compressed with xz. */
export function scanModules(machine: Machine, directory: string, paths: readonly string[]): readonly ScannedModule[] {
  return paths.map((path) => ({ path, modinfo: readModinfo(readOrNothing(machine, `${directory}/${path}`)) }));
}

/** Lists the module files of a directory, without its subdirectories. */
export function listModuleFiles(machine: Machine, directory: string): readonly string[] {
  return listOrNone(machine, directory).filter((name) => MODULE_FILE.test(name));
}

/** Lists every module file below a directory, as paths relative to it. */
export function listModuleTree(machine: Machine, directory: string, below = ""): readonly string[] {
  return listOrNone(machine, `${directory}/${below}`).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    if (MODULE_FILE.test(name)) return [path];
    // A stat of every name costs more than this: no directory of modules has a dot in its name.
    return name.includes(".") || (below === "" && NOT_MODULES.has(name))
      ? []
      : listModuleTree(machine, directory, path);
  });
}

/** A damaged module is reported when it is loaded. */
function readOrNothing(machine: Machine, path: string): Uint8Array {
  try {
    return readPlainModule(machine, path);
  } catch (error) {
    if (error instanceof BootError || isErrno(error)) return new Uint8Array();
    throw error;
  }
}
