import type { Machine } from "../machine/machine.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { readModinfo } from "./index/modinfo.ts";
import type { ScannedModule } from "./index/scanned-modules.ts";
import { readPlainModule } from "./module-files.ts";

/** Where links lead to the kernel's sources, which may be anywhere. */
const NOT_MODULES = new Set(["build", "source"]);
const MODULE_FILE = /\.ko(\.(gz|xz|zst))?$/;

/** What the modules in these files of a directory say of themselves; of one that cannot be read here, as those of xz, there is only its name. */
export function scanModules(machine: Machine, directory: string, paths: readonly string[]): readonly ScannedModule[] {
  return paths.map((path) => ({ path, modinfo: readModinfo(readOrNothing(machine, `${directory}/${path}`)) }));
}

/** The names of the module files in a directory itself. */
export function listModuleFiles(machine: Machine, directory: string): readonly string[] {
  return listOrNone(machine, directory).filter((name) => MODULE_FILE.test(name));
}

/** Every module file below a directory, as paths relative to it. */
export function listModuleTree(machine: Machine, directory: string, below = ""): readonly string[] {
  return listOrNone(machine, `${directory}/${below}`).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    if (MODULE_FILE.test(name)) return [path];
    // A look at what it is costs more than trying to list what has a file's ending.
    return name.includes(".") || (below === "" && NOT_MODULES.has(name))
      ? []
      : listModuleTree(machine, directory, path);
  });
}

function listOrNone(machine: Machine, directory: string): readonly string[] {
  try {
    return machine.listDirectory(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return [];
    throw error;
  }
}

/** A module that is damaged says so when it is loaded. */
function readOrNothing(machine: Machine, path: string): Uint8Array {
  try {
    return readPlainModule(machine, path);
  } catch (error) {
    if (error instanceof BootError || isErrno(error)) return new Uint8Array();
    throw error;
  }
}
