import {
  type BlockDevice,
  describeObstacle,
  listBlockDeviceNames,
  namePartition,
  withReader,
} from "../../devices/block-devices.ts";
import type { Unanswered } from "../../devices/device-probe.ts";
import { listEmptyDrives } from "../../devices/drives.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
import { readPhysicalVolume } from "../../formats/lvm/physical-volume.ts";
import type { Machine } from "../../machine/machine.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { alignColumns, printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";

const HEADINGS = ["DEVICE", "SIZE", "TYPE", "LABEL", "UUID", "PARTLABEL", "NOTE"];

/** Formats `levain devices` without a file: every block device of this machine with its content, as an aligned table without empty columns. */
export function describeDevices(machine: Machine): readonly string[] {
  const names = listBlockDeviceNames(machine);
  const { devices, unanswered } = readBlockDevices(machine, names);
  const silent = new Set(unanswered.map(({ entry }) => entry.name));
  const rows = new Map([
    ...devices.map((device) => [device.name, row(machine, device, silent)] as const),
    ...unanswered.map((device) => [device.entry.name, unansweredRow(device)] as const),
  ]);
  const empty = listEmptyDrives(machine, devices).map((node) => [node, "", "", "", "", "", "no medium"]);
  const listed = [...names.flatMap((name) => [rows.get(name) ?? []].filter(({ length }) => length > 0)), ...empty];
  if (listed.length === 0) return ["no block devices: the disk is missing, or its driver is (see `levain status`)"];
  const isUsed = HEADINGS.map((_, column) => listed.some((cells) => cells[column] !== ""));
  return alignColumns([HEADINGS, ...listed].map((cells) => cells.filter((_, column) => isUsed[column])));
}

function unansweredRow({ entry: { node, sizeBytes } }: Unanswered): readonly string[] {
  return [node, formatBytes(sizeBytes), "(no answer)", "", "", "", ""];
}

function row(machine: Machine, device: BlockDevice, silent: ReadonlySet<string>): readonly string[] {
  const { node, sizeBytes, facts, unreadable } = device;
  const table = facts.partitionTable === null ? "" : `(${facts.partitionTable})`;
  const type = unreadable === null ? (facts.type ?? table) : "(unreadable)";
  // The partition table of a disk that does not answer would be waited for.
  const partLabel = silent.has(device.partition?.disk ?? "") ? null : namePartition(machine, device).label;
  const names = [facts.label, facts.uuid, partLabel, describeObstacle(device) ?? describeGroup(machine, device)];
  return [node, formatBytes(sizeBytes), type, ...names.map((name) => name ?? "")].map(printable);
}

/** Names the volume group of a physical volume; null for any other device. */
function describeGroup(machine: Machine, { node, facts, unreadable }: BlockDevice): string | null {
  if (facts.type !== "LVM2_member" || unreadable !== null) return null;
  const read = () => withReader(machine, node, (reader) => readPhysicalVolume(reader));
  const group = orIfRefused(read, null)?.group ?? null;
  return group === null ? null : `in the volume group "${group.name}"`;
}
