import { basename, dirname, join } from "node:path";
import type { DriverStep } from "./schema.ts";
import type { SystemFiles } from "./system-files.ts";

/**
 * Returns the drivers of a device and of all devices above it, the outermost first: `directory` is below /sys/devices, without
 * links. What supplies one of them (a clock, a regulator, a phy: Documentation/driver-api/device_link.rst) comes before it.
 */
export function driversTo(files: SystemFiles, directory: string): readonly DriverStep[] {
  const steps = new Map<string, DriverStep>();
  visit(directory);
  return [...steps.values()];

  function visit(path: string): void {
    if (steps.has(path) || !path.startsWith("/sys/devices/")) return;
    visit(dirname(path));
    for (const other of controllersOf(files, path)) visit(other);
    const step = stepAt(files, path);
    if (step === null) return;
    for (const link of files.list(path).filter((name) => name.startsWith("supplier:"))) {
      const supplier = files.real(join(path, link, "supplier"));
      if (supplier !== null) visit(supplier);
    }
    steps.set(path, step);
  }
}

/** The namespaces of an NVMe subsystem with several paths belong to none of its controllers (drivers/nvme/host/multipath.c). */
function controllersOf(files: SystemFiles, path: string): readonly string[] {
  if (!/^\/sys\/devices\/virtual\/nvme-subsystem\/[^/]+$/.test(path)) return [];
  const names = files.list(path).filter((name) => /^nvme\d+$/.test(name));
  return names.flatMap((name) => files.real(join(path, name)) ?? []);
}

/** Returns null for a device without a driver, as the root of a bus. */
function stepAt(files: SystemFiles, path: string): DriverStep | null {
  const driver = files.real(join(path, "driver"));
  if (driver === null) return null;
  const module = files.real(join(driver, "module"));
  return {
    device: `${basename(dirname(dirname(driver)))} ${basename(path)}`,
    driver: basename(driver),
    module: module === null ? null : basename(module),
    modalias: files.text(join(path, "modalias")) || null,
  };
}
