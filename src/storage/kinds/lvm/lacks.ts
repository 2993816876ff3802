import type { BlockDevice } from "../../../devices/block-devices.ts";
import { problem } from "../../../problems/problem.ts";
import type { Trouble } from "../../contract.ts";
import type { JudgedGroup } from "./judge.ts";
import type { VolumeName } from "./wanted.ts";

/** Returns what is said of physical volumes whose group is not known, which look like disks with nothing on them. */
export function describeStrays(strays: readonly BlockDevice[]): readonly Trouble[] {
  if (strays.length === 0) return [];
  return [{ error: problem("group-elsewhere", { nodes: strays.map(({ node }) => node) }), isFatal: false }];
}

/** Returns what is said of groups that parameters name and no device has, if there is LVM at all: the path may be that of another kind of device. */
export function describeAbsent(
  named: readonly VolumeName[],
  present: readonly JudgedGroup<BlockDevice>[],
  strays: readonly BlockDevice[],
): readonly Trouble[] {
  const groups = [...new Set(present.map(({ group }) => group.name))];
  if (groups.length === 0 && strays.length === 0) return [];
  const absent = [...new Set(named.map(({ group }) => group))].filter((group) => !groups.includes(group));
  return absent.map((group) => ({ error: problem("group-absent", { group, groups }), isFatal: false, isCause: true }));
}
