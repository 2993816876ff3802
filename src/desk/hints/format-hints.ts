import { alignColumns, printable } from "../../problems/report.ts";
import type { DriverStep, Hints, Volume } from "./schema.ts";

/** The kinds of volumes, for people. */
export const VOLUME_KINDS: Readonly<Record<Volume["kind"], string>> = {
  luks: "LUKS",
  plain: "plain dm-crypt",
  integrity: "dm-integrity",
  verity: "dm-verity",
  lvm: "LVM",
  multipath: "multipath",
  md: "RAID",
  bcache: "bcache",
  loop: "loop device",
  mapping: "device mapper",
};

/** Formats hints as a table for the user, a line for each device, from the root down to its disks. */
export function formatHints(hints: Hints): readonly string[] {
  const { kernel, machine, cpu, filesystems, volumes, disks, usb, keyboards, screens, cards } = hints;
  const reached = (
    label: string,
    devices: readonly { readonly name: string; readonly drivers: readonly DriverStep[] }[],
  ) => devices.map(({ name, drivers }) => [label, name, formatDrivers(drivers)]);
  const rows = [
    ["kernel", kernel, machine],
    ["cpu", cpu.vendor, `family ${cpu.family}, model ${cpu.model}, stepping ${cpu.stepping}`],
    ...filesystems
      .toReversed()
      .map(({ path, type, devices, isChecked }) => [
        "mount",
        path,
        `${type}${devices.length === 0 ? "" : ` on ${devices.join(", ")}`}${isChecked ? ", checked by fsck" : ""}`,
      ]),
    ...volumes.toReversed().map((volume) => ["volume", volume.device, formatVolume(volume)]),
    ...disks.map(({ name, drivers, server }) => [
      "disk",
      name,
      server === null ? formatDrivers(drivers) : `on a server, by ${server}`,
    ]),
    ...reached("usb", usb),
    ...reached("keyboard", keyboards),
    ...reached("screen", screens),
    ...reached("network", cards),
    ...(hints.keymap === null ? [] : [["keymap", hints.keymap, ""]]),
    ...hints.crypttab.map((line) => ["crypttab", "", line]),
    ...hints.parameters.map((text) => ["parameter", "", text]),
    ["modules", `${hints.modules.length} loaded`, ""],
  ];
  return alignColumns(rows.map((row) => row.map(printable)));
}

function formatVolume({ name, kind, on, detail }: Volume): string {
  const what = detail === null ? VOLUME_KINDS[kind] : `${VOLUME_KINDS[kind]} (${detail})`;
  return `${what} on ${on.length === 0 ? "what is not visible" : on.join(", ")}${name === null ? "" : `, named ${name}`}`;
}

/** The driver of the device first. */
function formatDrivers(drivers: readonly DriverStep[]): string {
  const names = drivers.toReversed().map(({ module, driver }) => module ?? `${driver} (built in)`);
  return names.length === 0 ? "no driver" : [...new Set(names)].join(", ");
}
