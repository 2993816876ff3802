import type { BlockDevice } from "../../devices/block-devices.ts";
import { SLOW_MS } from "../../devices/device-probe.ts";
import type { Context } from "../../drivers/context.ts";
import { mountDeviceBriefly } from "../../filesystems/brief-mount.ts";
import { readMounts } from "../../filesystems/mounts.ts";
import { findDirectoryIn, findFileIn } from "../../filesystems/resolve.ts";
import { describeNoFilesystem } from "../../formats/contents.ts";
import type { Machine } from "../../machine/machine.ts";
import type { PersistencePlan, PersistenceVolume } from "../../plan/plan.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { isAmong } from "../../storage/device-content.ts";
import { listBelow } from "../../storage/device-mapper/mapping.ts";
import type { Search } from "../../storage/search.ts";
import { liesInVolume } from "../../storage/trust.ts";

/** What may be a persistence volume: a filesystem, a LUKS volume, or an image file or directory on a filesystem. */
export interface Candidate {
  /** "/dev/…". */
  readonly node: string;
  /** The path of the image file or directory; null: the device itself. */
  readonly file: string | null;
  /** null for a LUKS volume of which only the content can tell. */
  readonly volume: PersistenceVolume | null;
  /** The kernel's name of its disk. */
  readonly disk: string;
}

/** Where the medium is: its device, and the mount of it. */
export interface MediumPlace {
  readonly node: string;
  readonly directory: string;
  /** True if the root lies in an encrypted volume: then no volume may lie outside of one. */
  readonly isInside: boolean;
}

/** Looks for volumes on the disks that are present now. */
export interface CandidateSearch {
  /** Returns those on the disk of the medium, or those on all other disks, in the order of their names in the plan. */
  list(where: "medium" | "elsewhere"): readonly Candidate[];
}

/** Makes the search. A filesystem is looked into once, and one on another disk only when the medium's disk has no volume. */
export function createCandidateSearch(
  context: Context,
  plan: PersistencePlan,
  search: Pick<Search, "inventory" | "find">,
  medium: MediumPlace,
): CandidateSearch {
  const { machine } = context;
  const diskOf = (device: BlockDevice): string => {
    const below = device.partition?.disk ?? listBelow(machine, device.name)[0];
    const next = below === undefined ? undefined : search.inventory.get(below);
    return next === undefined ? (below ?? device.name) : diskOf(next);
  };
  const known = new WeakMap<BlockDevice, readonly Candidate[]>();
  const rank = ({ volume }: Candidate) => (volume === null ? plan.volumes.length : plan.volumes.indexOf(volume));
  return {
    list(where) {
      const devices = [...search.inventory.values()].filter(
        (device) => !device.name.startsWith("loop") && isAmong(machine, device, plan.among),
      );
      const own = [...search.inventory.values()].find(({ node }) => node === medium.node);
      const mediumDisk = own === undefined ? null : diskOf(own);
      const look = { context, plan, medium, nameOf: createNamer(plan, search), isInside: liesInVolume(machine) };
      const found = devices.flatMap((device) => {
        const disk = diskOf(device);
        const isOnMedium = disk === mediumDisk;
        if (isOnMedium !== (where === "medium")) return [];
        const before = known.get(device);
        const listed = before ?? listOn(look, device, isOnMedium).map((one) => ({ ...one, node: device.node, disk }));
        known.set(device, listed);
        return listed;
      });
      return found.toSorted((one, other) => rank(one) - rank(other));
    },
  };
}

interface Look {
  readonly context: Context;
  readonly plan: PersistencePlan;
  readonly medium: MediumPlace;
  /** The volume that a device is by its label, or by the name of its partition. */
  readonly nameOf: (device: BlockDevice) => PersistenceVolume | null;
  readonly isInside: (device: BlockDevice) => boolean;
}

function createNamer({ volumes }: PersistencePlan, { find }: Pick<Search, "find">): Look["nameOf"] {
  const named = volumes.map((volume) => {
    const value = volume.name;
    return { volume, devices: [...find({ by: "label", value }), ...find({ by: "partlabel", value })] };
  });
  return (device) => named.find(({ devices }) => devices.includes(device))?.volume ?? null;
}

/** True if a filesystem inside a volume, or outside, may be one. Nothing outside may be a part of a root that is inside. */
function mayLie(isInside: boolean, { encrypted, unencrypted }: PersistencePlan, medium: MediumPlace): boolean {
  return isInside ? encrypted || medium.isInside : unencrypted && !medium.isInside;
}

type Found = Pick<Candidate, "file" | "volume">;

/** Returns what of a device is a volume. */
function listOn(
  { context, plan, medium, nameOf, isInside }: Look,
  device: BlockDevice,
  isOnMedium: boolean,
): readonly Found[] {
  const { type } = device.facts;
  const volume = nameOf(device);
  // The name of a LUKS volume on any other disk is all that is known of it.
  const mayUnlock = plan.encrypted && (isOnMedium || (volume !== null && !medium.isInside));
  if (type === "crypto_LUKS") return mayUnlock ? [{ file: null, volume }] : [];
  if (type === null || describeNoFilesystem(type) !== null || !mayLie(isInside(device), plan, medium)) return [];
  if (plan.inFilesystems && volume !== null && device.node !== medium.node) return [{ file: null, volume }];
  return plan.inside.length === 0 ? [] : findInside(context, { device, type, medium }, plan);
}

function findInside(
  context: Context,
  { device, type, medium }: { readonly device: BlockDevice; readonly type: string; readonly medium: MediumPlace },
  plan: PersistencePlan,
): readonly Found[] {
  const { machine, voice } = context;
  const listIn = (directory: string, files = machine) => listInside(files, directory, plan);
  // The medium is mounted, and its device is read-only for the kernel: a second mount of it would end that.
  if (device.node === medium.node) return listIn(medium.directory);
  // A layer: the same, and a layer is not written to.
  if (readMounts(machine).some(({ source }) => source === device.node)) return [];
  return unlessRefused(
    () => mountDeviceBriefly(context, { node: device.node, type, timeoutMs: SLOW_MS }, listIn),
    (refusal) => {
      voice.debug(
        `${device.node} cannot be searched for ${printable(plan.volumes[0]?.name ?? "")}: ${refusal.message}`,
      );
      return [];
    },
  );
}

function listInside(machine: Machine, root: string, { volumes, inside, path }: PersistencePlan): readonly Found[] {
  const finders = { file: findFileIn, directory: findDirectoryIn };
  return volumes.flatMap((volume) => {
    const file = `${path}/${volume.name}`;
    return inside.some((kind) => finders[kind](machine, root, file) !== null) ? [{ file, volume }] : [];
  });
}
