import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { resolveIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { readText } from "../../machine/small-files.ts";

/** The files of a system, by absolute path. What does not exist or cannot be read is empty: /sys differs between kernels, and devices go away. */
export interface SystemFiles {
  /** Returns the text of a file without the white space around it. */
  text(path: string): string;
  /** Returns the names in a directory, sorted. */
  list(path: string): readonly string[];
  /** Returns the path of a file or directory without links; null if it does not exist. */
  real(path: string): string | null;
}

/** Returns the files of the system at `root`: "/", or a directory that has been made for a test. */
export function systemFiles(root = "/"): SystemFiles {
  const base = root === "/" ? "" : realpathSync(root);
  return {
    text: (path) => orElse("", () => readFileSync(join(base, path), "utf8").trim()),
    list: (path) => orElse([], () => readdirSync(join(base, path)).sort()),
    real: (path) =>
      orElse(null, () => {
        const found = realpathSync(join(base, path));
        return found.startsWith(`${base}/`) ? found.slice(base.length) : null;
      }),
  };
}

/** Returns the files of a machine. */
export function machineFiles(machine: Machine): SystemFiles {
  return {
    text: (path) => orElse("", () => readText(machine, path).trim()),
    list: (path) => orElse([], () => machine.listDirectory(path)),
    real: (path) => orElse(null, () => resolveIn(machine, "/", path)),
  };
}

function orElse<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
