import type { Machine } from "../machine/machine.ts";
import { buildAliasTable, findByAlias } from "./index/alias-table.ts";
import { parseAliases } from "./index/kernel-files.ts";
import { normalizeAlias } from "./index/names.ts";
import { listModaliases, type Modalias } from "./modaliases.ts";

/**
 * The file that the builder writes to /lib/modules/VERSION: the lines of modules.alias for the modules that are not in the image,
 * compressed with zstd. Only the advice about missing drivers uses it.
 */
export const MISSING_NAME = "levain-missing.zst";

/** The buses of hardware that a person would name, in contrast to platform devices. */
export const HARDWARE_BUSES: readonly string[] = ["pci", "usb", "virtio", "vmbus", "xen", "mmc", "sdio", "scsi", "hid"];

/** Lists the devices whose driver is missing from the image, with the modules that it lacks for them; null if the image has no list of missing modules. */
export function listDriverless(machine: Machine): readonly (Modalias & { modules: readonly string[] })[] | null {
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

/** null if it is damaged. */
function decompress(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder().decode(Bun.zstdDecompressSync(bytes));
  } catch {
    return null; // it is only advice
  }
}

/** Formats the same as lines for a person; empty if no driver is missing. */
export function describeDriverless(machine: Machine): readonly string[] {
  const devices = listDriverless(machine) ?? [];
  if (devices.length === 0) return [];
  const lines = devices.map(({ directory, modules }) => {
    const [, bus = "", name = ""] = /^\/sys\/bus\/([^/]+)\/devices\/(.*)$/.exec(directory) ?? [];
    return `  ${bus} ${name}  ${modules.join(" or ")}`;
  });
  return ["devices without a driver in this image (add one with levain image --module NAME):", ...lines];
}
