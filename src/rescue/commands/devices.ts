import {
  type BlockDevice,
  describeObstacle,
  listBlockDeviceNames,
  namePartition,
  readBlockDevice,
} from "../../devices/block-devices.ts";
import { listEmptyDrives } from "../../devices/drives.ts";
import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";

const HEADINGS = ["DEVICE", "SIZE", "TYPE", "LABEL", "UUID", "PARTLABEL", "NOTE"];

/** Formats `levain devices` without a file: every block device of this machine with its content, as an aligned table without empty columns. */
export function describeDevices(machine: Machine): readonly string[] {
  const devices = listBlockDeviceNames(machine).flatMap((name) => readBlockDevice(machine, name) ?? []);
  const empty = listEmptyDrives(machine, devices).map((node) => [node, "", "", "", "", "", "no medium"]);
  const rows = [...devices.map((device) => row(machine, device)), ...empty];
  if (rows.length === 0) return ["no block devices: the disk is missing, or its driver is (see `levain status`)"];
  return alignColumns([HEADINGS, ...rows]);
}

function row(machine: Machine, device: BlockDevice): readonly string[] {
  const { node, sizeBytes, facts, unreadable } = device;
  const table = facts.partitionTable === null ? "" : `(${facts.partitionTable})`;
  const type = unreadable === null ? (facts.type ?? table) : "(unreadable)";
  const names = [facts.label, facts.uuid, namePartition(machine, device).label, describeObstacle(device)];
  return [node, formatBytes(sizeBytes), type, ...names.map((name) => name ?? "")].map(printable);
}

function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const isEmpty = HEADINGS.map((_, column) => rows.slice(1).every((cells) => cells[column] === ""));
  return rows.map((cells) => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const shown = padded.filter((_, column) => isEmpty[column] !== true);
    return shown.join("  ").trimEnd();
  });
}
