import { existsSync, readdirSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { basename, join, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { fileBelow, isDirectory, isFile } from "../host.ts";

/** The kernel an image is for, as `uname -r` prints it, and the directory with its modules.dep. */
export type KernelChoice = Readonly<{ version: string; modulesDir: string }>;

/** The kernel that was asked for, and a …/lib/modules/VERSION directory. */
export type KernelRequest = Readonly<Record<"kernel" | "modulesDir", string | null>>;

/** Where NixOS has the modules of the kernel that runs, and of the one that the next boot starts: in its store. */
const NIXOS_MODULE_ROOTS = [
  "/run/booted-system/kernel-modules/lib/modules",
  "/run/current-system/kernel-modules/lib/modules",
];

/**
 * Returns the kernel to build for: the requested one, else the running one, else the only one in `modulesRoots`; null for an
 * image without modules ("none"). `running` is "" for another system. `modulesDir` is a …/lib/modules/VERSION directory, or null. Throws BootError if the kernel does not exist or is ambiguous.
 */
export function chooseKernel(
  request: KernelRequest,
  modulesRoots = modulesRootsOf("/"),
  running = release(),
): KernelChoice | null {
  if (request.kernel === "none") return null;
  if (request.modulesDir !== null) {
    const modulesDir = resolve(request.modulesDir);
    if (!isDirectory(modulesDir)) {
      throw new BootError(`no directory ${modulesDir} with kernel modules`, {
        hint: "--modules-dir needs a directory such as /lib/modules/VERSION",
      });
    }
    refuseOuterDirectory(modulesDir, request.kernel);
    // A link such as lib/modules/current is not named after the version.
    return { version: request.kernel ?? basename(realpathSync(modulesDir)), modulesDir };
  }
  return chooseInstalled(request.kernel, modulesRoots, running);
}

function chooseInstalled(asked: string | null, modulesRoots: readonly string[], running: string): KernelChoice {
  const directories = [...new Set(modulesRoots.flatMap(listDirectories))];
  const whole = directories.filter((version) => isKernel(findModulesDir(modulesRoots, version) ?? ""));
  // Files that no package owns remain of a kernel that was removed; a package of modules may be for one that was never installed.
  const versions = asked === null && whole.length > 0 ? whole : directories;
  const version = asked ?? (versions.includes(running) || versions.length !== 1 ? running : versions[0]);
  const found = version !== undefined && versions.includes(version) ? findModulesDir(modulesRoots, version) : null;
  if (version !== undefined && found !== null) return { version, modulesDir: found };
  const places = modulesRoots.filter(isDirectory).join(" and ") || (modulesRoots[0] ?? "");
  // Another system has no running kernel.
  const usual = running === "" ? "of one kernel alone" : `for the running kernel ${running}`;
  throw new BootError(
    asked === null
      ? `cannot choose a kernel: ${places} has no modules ${usual}`
      : `${places} has no modules for kernel ${version}`,
    {
      seen: versions.length > 0 ? versions : [`${places}: no kernel`],
      hint: "choose one with --kernel VERSION or --modules-dir DIR, or build without modules: --kernel none",
    },
  );
}

/** Returns the directory of a kernel in the first of `roots` that has it; null if none has. */
export function findModulesDir(roots: readonly string[], version: string): string | null {
  const root = roots.find((path) => listDirectories(path).includes(version));
  return root === undefined ? null : join(root, version);
}

/** Where a directory that contains the modules of several kernels, or a root filesystem, has those of each. */
const INSIDE = ["", "modules", "lib/modules", "usr/lib/modules"];

/** Throws BootError with the directories that may be meant, if `directory` is not that of one kernel but contains some. */
function refuseOuterDirectory(directory: string, kernel: string | null): void {
  if (hasModules(directory)) return;
  const found = INSIDE.flatMap((inside) => {
    const outer = join(directory, inside);
    return listDirectories(outer).map((version) => join(outer, version));
  });
  const meant = [...new Set(found.filter(hasModules))];
  if (meant.length === 0) return;
  throw new BootError(`${directory} has no modules.dep: it is not the directory of one kernel`, {
    seen: meant,
    hint: `choose a kernel: --modules-dir ${meant.find((path) => basename(path) === kernel) ?? meant[0]}`,
  });
}

/** What `make modules_install` and depmod write, and where modules are in a tree without their lists. */
const PARTS = ["modules.order", "modules.dep", "kernel"];

const isKernel = (directory: string) => PARTS.some((name) => existsSync(join(directory, name)));

/** Returns the directory with the modules of the kernels that are installed below `root`. */
export function modulesRootOf(root: string): string {
  const places = ["lib", "usr/lib"].map((path) => join(fileBelow(root, join(root, path)), "modules"));
  return places.find(isDirectory) ?? join(root, "lib/modules");
}

/** Returns all such directories: of this system, those of NixOS too. */
export const modulesRootsOf = (root: string): readonly string[] =>
  root === "/" ? [modulesRootOf(root), ...NIXOS_MODULE_ROOTS] : [modulesRootOf(root)];

const hasModules = (directory: string) => isFile(join(directory, "modules.dep"));

function listDirectories(path: string): readonly string[] {
  try {
    return readdirSync(path)
      .filter((name) => isDirectory(join(path, name)))
      .sort();
  } catch {
    // Missing or empty: the error reports both in the same way.
    return [];
  }
}

/** Returns where a file of a kernel's package may be: a kernel that is unpacked has its boot directory beside lib or usr/lib. */
export function bootFiles(modulesDir: string, name: string): readonly string[] {
  return rootFiles(modulesDir, join("boot", name));
}

/** Returns where a file of the root that has these modules may be. */
export function rootFiles(modulesDir: string, path: string): readonly string[] {
  return ["../../..", "../../../.."].map((root) => join(modulesDir, root, path));
}

/** Returns where distributions have the kernel that belongs to modules. */
export function kernelPlaces({ version, modulesDir }: KernelChoice): readonly string[] {
  // Gentoo's installkernel names it kernel-VERSION too; NixOS links to it beside its modules.
  const named = ["vmlinuz", "kernel"].flatMap((name) => bootFiles(modulesDir, `${name}-${version}`));
  const [system] = /^.*(?=\/kernel-modules\/lib\/modules\/)/.exec(modulesDir) ?? [];
  return [...named, join(modulesDir, "vmlinuz"), ...(system === undefined ? [] : [join(system, "kernel")])];
}
