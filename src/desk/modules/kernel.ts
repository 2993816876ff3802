import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { BootError } from "../../problems/errors.ts";
import type { CompressionMethod } from "../archive/compress.ts";
import { isDirectory } from "../host.ts";

/** The kernel an image is for. */
export interface KernelChoice {
  /** As `uname -r` will say it. */
  readonly version: string;
  /** The folder with modules.dep and its files. */
  readonly modulesDir: string;
}

/** The options that choose a kernel. */
export interface KernelWish {
  /** --kernel: a version, "none" for an image without modules, or null for whatever is there. */
  readonly kernel: string | null;
  /** --modules-dir: a …/lib/modules/VERSION folder, or null. */
  readonly modulesDir: string | null;
}

/**
 * The kernel to build for: the one asked for, else the running one, else the only one in `modulesRoot`.
 * null: an image without modules. Throws BootError where there is no such kernel, or no way to choose.
 */
export function chooseKernel(wish: KernelWish, modulesRoot = "/lib/modules", running = release()): KernelChoice | null {
  if (wish.kernel === "none") return null;
  if (wish.modulesDir !== null) {
    const modulesDir = resolve(wish.modulesDir);
    if (!isDirectory(modulesDir)) {
      throw new BootError(`there is no directory ${modulesDir} with kernel modules`, {
        hint: "give a folder like /lib/modules/VERSION to --modules-dir",
      });
    }
    // A link like lib/modules/current has not the version as its name.
    return { version: wish.kernel ?? basename(realpathSync(modulesDir)), modulesDir };
  }
  const versions = listDirectories(modulesRoot);
  const version = wish.kernel ?? (versions.includes(running) || versions.length !== 1 ? running : versions[0]);
  if (version !== undefined && versions.includes(version)) return { version, modulesDir: join(modulesRoot, version) };
  throw new BootError(
    wish.kernel === null
      ? `could not choose a kernel: ${modulesRoot} has no modules for the running one, ${running}`
      : `there are no modules for the kernel ${version} in ${modulesRoot}`,
    {
      seen: versions.length > 0 ? versions : [`${modulesRoot}: no kernel at all`],
      hint: "choose with --kernel VERSION or --modules-dir DIR; --kernel none makes an image without modules",
    },
  );
}

// The option of the kernel's own configuration that lets it unpack an initramfs of each kind (usr/Kconfig).
const OPTIONS: Readonly<Record<CompressionMethod, string>> = {
  none: "BLK_DEV_INITRD",
  zstd: "RD_ZSTD",
  lz4: "RD_LZ4",
  gzip: "RD_GZIP",
  xz: "RD_XZ",
};

/** True or false where the kernel's configuration is found and says whether it can unpack this; null where nobody knows. */
export function canUnpack({ version, modulesDir }: KernelChoice, method: CompressionMethod): boolean | null {
  // Unpacked from its package, a kernel has its boot folder beside lib or usr/lib.
  const beside = [dirname(dirname(dirname(modulesDir))), dirname(dirname(dirname(dirname(modulesDir))))];
  const places = [join(modulesDir, "config"), ...beside.map((root) => join(root, "boot", `config-${version}`))];
  if (version === release()) places.push("/proc/config.gz");
  for (const place of places) {
    const config = readConfig(place);
    if (config !== null) return new RegExp(`^CONFIG_${OPTIONS[method]}=y$`, "m").test(config);
  }
  return null;
}

/** Twenty times the largest there is. */
const CONFIG_MAX_BYTES = 8 << 20;

function readConfig(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: CONFIG_MAX_BYTES }) : bytes).toString("latin1");
  } catch {
    // Not there, not readable or not gzip: as good as unknown, and only a warning hangs on it.
    return null;
  }
}

function listDirectories(path: string): readonly string[] {
  try {
    return readdirSync(path)
      .filter((name) => isDirectory(join(path, name)))
      .sort();
  } catch {
    // No such directory is the same as an empty one: both are told with what was seen.
    return [];
  }
}
