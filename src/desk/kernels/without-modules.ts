import { readdirSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { isDirectory } from "../host.ts";
import {
  chooseKernel,
  findModulesDir,
  type KernelChoice,
  type KernelRequest,
  modulesRootsOf,
} from "../modules/kernel.ts";
import { type KernelConfig, readKernelConfig } from "../modules/kernel-config.ts";

/** A kernel with what is known of its configuration. */
export interface ConfiguredKernel extends KernelChoice {
  readonly config: KernelConfig;
  /** False if all its drivers are built in. */
  readonly hasModules: boolean;
}

/**
 * Returns the kernel to build for, as `chooseKernel` does, or one that is configured without modules: it has no directory of its
 * own. null for an image without modules ("none"). Throws BootError.
 */
export function chooseConfiguredKernel(
  request: KernelRequest,
  modulesRoots = modulesRootsOf("/"),
  running = release(),
): ConfiguredKernel | null {
  const version = request.kernel ?? running;
  if (request.kernel !== "none" && request.modulesDir === null && findModulesDir(modulesRoots, version) === null) {
    const whole = { version, modulesDir: join(modulesRoots[0] ?? "/lib/modules", version) };
    const config = isName(version) ? readKernelConfig(whole, running) : null;
    if (config?.("MODULES") === false) return { ...whole, config, hasModules: false };
  }
  const kernel = chooseKernel(request, modulesRoots, running);
  if (kernel === null) return null;
  return { ...kernel, config: readKernelConfig(kernel, running), hasModules: !isWithoutModules(kernel.modulesDir) };
}

/** A version becomes part of paths. */
const isName = (version: string) => version !== "" && !version.includes("/") && version !== "..";

/** `make modules_install` of a kernel whose drivers are all built in leaves an empty modules.order, and no directory of modules. */
function isWithoutModules(modulesDir: string): boolean {
  const order = statSync(join(modulesDir, "modules.order"), { throwIfNoEntry: false });
  if (!order?.isFile() || order.size > 0) return false;
  const inside = readdirSync(modulesDir).filter((name) => name !== "build" && name !== "source");
  return !inside.some((name) => isDirectory(join(modulesDir, name)));
}
