import type { Machine } from "../machine/machine.ts";
import { buildAliasTable, findByAlias } from "./index/alias-table.ts";
import { parseAliases } from "./index/kernel-files.ts";
import { normalizeAlias } from "./index/names.ts";
import { listModaliases } from "./modaliases.ts";

/**
 * What the builder leaves below /lib/modules/VERSION beside the index: the lines of modules.alias for the modules that
 * are not in the image, compressed with zstd. Nothing needs it but a person who looks for a driver.
 */
export const MISSING_NAME = "levain-missing.zst";

/** The buses whose devices are things that a person has plugged in or bought. */
export const HARDWARE_BUSES: readonly string[] = ["pci", "usb", "virtio", "vmbus", "xen", "mmc", "sdio", "scsi", "hid"];

/** A device without a driver, and the modules that would drive it if the image had them. */
export interface Driverless {
  /** As /sys/bus/pci/devices/0000:00:1f.2. */
  readonly directory: string;
  readonly modalias: string;
  readonly modules: readonly string[];
}

/** The devices without a driver whose module is missing from the image; null where the image does not know what it has not. */
export function listDriverless(machine: Machine): readonly Driverless[] | null {
  const path = `/lib/modules/${machine.release().release}/${MISSING_NAME}`;
  const text = machine.stat(path) === null ? null : decompress(machine.readFile(path));
  if (text === null) return null;
  const table = buildAliasTable(parseAliases(text), () => 0);
  const devices = listModaliases(machine, HARDWARE_BUSES);
  return devices
    .filter(({ directory }) => machine.lstat(`${directory}/driver`) === null)
    .map((device) => ({ ...device, modules: findByAlias(table, normalizeAlias(device.modalias) ?? "") }))
    .filter(({ modules }) => modules.length > 0);
}

/** null where it is damaged. */
function decompress(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder().decode(Bun.zstdDecompressSync(bytes));
  } catch {
    return null; // as good as no list: it is only there for advice
  }
}

/** The same as lines for a person; none where there is nothing to tell. */
export function describeDriverless(machine: Machine): readonly string[] {
  const devices = listDriverless(machine) ?? [];
  if (devices.length === 0) return [];
  const lines = devices.map(({ directory, modules }) => {
    const [, bus = "", name = ""] = /^\/sys\/bus\/([^/]+)\/devices\/(.*)$/.exec(directory) ?? [];
    return `  ${bus} ${name}  ${modules.join(" or ")}`;
  });
  return ["devices without a driver in this image (add one with levain image --module NAME):", ...lines];
}
