import { readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { parsePathList } from "../../drivers/index/kernel-files.ts";
import { BootError } from "../../problems/errors.ts";
import type { CompressionMethod } from "../archive/compress.ts";
import { isFile } from "../host.ts";
import { CONFIG_MAX_BYTES, findEmbeddedConfig, unpackConfig } from "./embedded-config.ts";
import { bootFiles, type KernelChoice, kernelPlaces, rootFiles } from "./kernel.ts";
import { readModuleFile } from "./module-file.ts";

/** Returns whether an option of the kernel's configuration is "y", or with `orModule` "m"; null if the configuration is not found. */
export type KernelConfig = (option: string, orModule?: boolean) => boolean | null;

/** The largest kernel of a distribution has 80 MB. */
const IMAGE_MAX_BYTES = 256 << 20;

/**
 * Reads the configuration of a kernel when it is first asked for an option: from the file that its package installs, the running
 * kernel's /proc/config.gz, or the kernel itself (CONFIG_IKCONFIG). Never throws.
 */
export function readKernelConfig(kernel: KernelChoice, running = release()): KernelConfig {
  let text: string | null | undefined;
  return (option, orModule = false) => {
    if (text === undefined) text = findConfig(kernel, running);
    return text === null ? null : new RegExp(`^CONFIG_${option}=${orModule ? "[ym]" : "y"}$`, "m").test(text);
  };
}

/** Returns whether the kernel can unpack such an initramfs; null if its configuration is not known. */
export function canUnpack(config: KernelConfig, method: CompressionMethod): boolean | null {
  return config(method === "none" ? "BLK_DEV_INITRD" : `RD_${method.toUpperCase()}`); // usr/Kconfig
}

function findConfig(kernel: KernelChoice, running: string): string | null {
  const { version, modulesDir } = kernel;
  const packaged = [join(modulesDir, "config"), ...bootFiles(modulesDir, `config-${version}`)];
  // Of the sources or headers that the kernel was built with.
  const files = [...packaged, join(modulesDir, "build/.config"), ...findSources(kernel)];
  const proc = version === running ? ["/proc/config.gz"] : [];
  const modules = CONFIG_MODULES.map((name) => join(modulesDir, name));
  return (
    firstOf([...files, ...proc], readConfigFile) ??
    firstOf(modules, readConfigModule) ??
    (mayContainConfig(modulesDir) ? firstOf(kernelPlaces(kernel), readKernelImage) : null)
  );
}

/** Returns the configuration in the sources of a kernel built on this machine, which `make` has marked with its version. */
function findSources({ version, modulesDir }: KernelChoice): readonly string[] {
  const trees = [`linux-${version}`, "linux"].flatMap((name) => rootFiles(modulesDir, join("usr/src", name)));
  return trees
    .filter((tree) => readBounded(join(tree, "include/config/kernel.release"), 256)?.toString().trim() === version)
    .map((tree) => join(tree, ".config"));
}

function firstOf(paths: readonly string[], read: (path: string) => string | null): string | null {
  for (const path of paths) {
    const text = isFile(path) ? read(path) : null;
    // A file that is empty or something else says nothing.
    if (text !== null && /^CONFIG_\w+=/m.test(text)) return text;
  }
  return null;
}

function readConfigFile(path: string): string | null {
  const bytes = readBounded(path, CONFIG_MAX_BYTES);
  return bytes !== null && path.endsWith(".gz") ? unpackConfig(bytes) : (bytes?.toString("latin1") ?? null);
}

/** With CONFIG_IKCONFIG=m a module contains the configuration. */
const CONFIG_MODULES = ["", ".gz", ".xz", ".zst"].map((suffix) => `kernel/kernel/configs.ko${suffix}`);

function readConfigModule(path: string): string | null {
  try {
    return findEmbeddedConfig(readModuleFile(path));
  } catch (error) {
    if (error instanceof BootError) return null; // damaged: reported if it is to be in the image
    throw error;
  }
}

/** Unpacking a kernel takes a second, so only if modules.builtin does not say that it has no CONFIG_IKCONFIG. */
function mayContainConfig(modulesDir: string): boolean {
  const builtin = readBounded(join(modulesDir, "modules.builtin"), CONFIG_MAX_BYTES);
  return builtin === null || parsePathList(builtin.toString()).includes("configs");
}

function readKernelImage(path: string): string | null {
  const bytes = readKernelBytes(path);
  return bytes === null ? null : findEmbeddedConfig(bytes);
}

/** Reads the file of a kernel; null if that is not possible. */
export function readKernelBytes(path: string): Buffer | null {
  return readBounded(path, IMAGE_MAX_BYTES);
}

function readBounded(path: string, limit: number): Buffer | null {
  try {
    const status = statSync(path);
    return status.isFile() && status.size <= limit ? readFileSync(path) : null;
  } catch {
    return null; // missing or unreadable: unknown, which costs only a warning
  }
}
