import type { Machine } from "../machine/machine.ts";
import { describeGap } from "../problems/diagnoses/drivers.ts";
import { wrapLines } from "../problems/report.ts";
import { buildAliasTable, findByAlias } from "./index/alias-table.ts";
import { parseAliases } from "./index/kernel-files.ts";
import { normalizeAlias } from "./index/names.ts";
import { listModaliases, type Modalias } from "./modaliases.ts";
import { findModuleGap } from "./module-source.ts";

/**
 * The file that the builder writes to /lib/modules/VERSION: the lines of modules.alias for the modules that are not in the image,
 * compressed with zstd. Only the advice about missing drivers uses it.
 */
export const MISSING_NAME = "levain-missing.zst";

/** The buses of hardware that a person would name, in contrast to platform devices. */
export const HARDWARE_BUSES: readonly string[] = ["pci", "usb", "virtio", "vmbus", "xen", "mmc", "sdio", "scsi", "hid"];

/** What a disk or a keyboard may depend on, by the classes in its modalias (file2alias.c): PCI class codes, USB interface classes, virtio device types. */
const CONTROLLERS: readonly (readonly [modalias: RegExp, name: string])[] = [
  [/^pci:.*bc01sc01/, "IDE controller"],
  [/^pci:.*bc01sc04/, "RAID controller"],
  [/^pci:.*bc01sc06/, "SATA controller"],
  [/^pci:.*bc01sc07/, "SAS controller"],
  [/^pci:.*bc01sc08/, "NVMe controller"],
  [/^pci:.*bc01/, "storage controller"],
  [/^pci:.*bc0Csc00/, "FireWire controller"],
  [/^pci:.*bc0Csc03/, "USB controller"],
  [/^pci:.*bc08sc05/, "SD card controller"],
  [/^usb:.*ic08/, "USB storage"],
  [/^usb:.*ic03/, "USB keyboard, mouse or the like"],
  [/^virtio:d00000002v/, "disk"],
  [/^virtio:d00000008v/, "SCSI controller"],
  [/^virtio:d0000001Av/, "shared filesystem"],
  [/^xen:vbd/, "disk"],
  [/^mmc:block/, "memory card"],
];

/** A device that no driver has claimed: the modules that the image lacks for it, and what kind of controller it is (null: another device). */
export interface Driverless extends Modalias {
  readonly modules: readonly string[];
  readonly controller: string | null;
}

/** Lists the devices without a driver for which the image lacks a module, and the controllers without a driver; a module is known only by the image's list of missing modules. */
export function listDriverless(machine: Machine): readonly Driverless[] {
  const table = buildAliasTable(parseAliases(readMissing(machine) ?? ""), () => 0);
  return listModaliases(machine, HARDWARE_BUSES)
    .filter(({ directory }) => machine.lstat(`${directory}/driver`) === null)
    .map((device) => ({
      ...device,
      modules: findByAlias(table, normalizeAlias(device.modalias) ?? ""),
      controller: CONTROLLERS.find(([pattern]) => pattern.test(device.modalias))?.[1] ?? null,
    }))
    .filter(({ modules, controller }) => modules.length > 0 || controller !== null);
}

/** Returns whether the image's list of missing modules is there: in the real root it is not. */
export function hasMissingList(machine: Machine): boolean {
  return machine.stat(missingPath(machine)) !== null;
}

function missingPath(machine: Machine): string {
  return `/lib/modules/${machine.release().release}/${MISSING_NAME}`;
}

/** null if there is no list, or a damaged one. */
function readMissing(machine: Machine): string | null {
  if (!hasMissingList(machine)) return null;
  try {
    return new TextDecoder().decode(Bun.zstdDecompressSync(machine.readFile(missingPath(machine))));
  } catch {
    return null; // it is only advice
  }
}

/** Formats for a person, as lines, why drivers are missing and for which devices; empty if none is. */
export function describeDriverless(machine: Machine): readonly string[] {
  const devices = listDriverless(machine);
  const known = devices.filter(({ modules }) => modules.length > 0);
  const unknown = devices.filter(({ modules }) => modules.length === 0);
  return [
    ...describeModuleGap(machine, devices.length > 0),
    ...under(
      "devices without a driver in this image (add one with levain image --module NAME):",
      known.map((device) => `${placeOf(device)}  ${device.modules.join(" or ")}`),
    ),
    ...under(
      "controllers that no driver has claimed:",
      unknown.map((device) => `${placeOf(device)}  ${device.controller}  ${device.modalias}`),
    ),
  ];
}

/** An image without any modules is for a kernel with its drivers built in, unless a controller has no driver. */
function describeModuleGap(machine: Machine, isDriverless: boolean): readonly string[] {
  const gap = findModuleGap(machine);
  if (gap === null || (gap.kernels.length === 0 && !isDriverless)) return [];
  return wrapLines([`${describeGap(gap)} (build one with levain image --kernel ${gap.release})`]);
}

function under(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function placeOf({ directory }: Modalias): string {
  const [, bus = "", name = ""] = /^\/sys\/bus\/([^/]+)\/devices\/(.*)$/.exec(directory) ?? [];
  return `${bus} ${name}`;
}
