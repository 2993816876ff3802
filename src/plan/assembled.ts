import type { IntegrityVolume } from "../parameters/crypt/integrity.ts";
import type { Settings } from "../parameters/parameters.ts";
import type { ArrayName } from "../parameters/tables/arrays.ts";

/** Which disks are put together without a key. */
export interface AssembledPlan {
  /** Which arrays of Linux RAID are started; without `uuids` all. */
  readonly arrays: { readonly isOff: boolean; readonly uuids: readonly string[]; readonly names: readonly ArrayName[] };
  readonly lvm: LvmPlan;
  /** What dm-integrity checks, every name once. */
  readonly integrity: readonly IntegrityVolume[];
  /** Whether a program of the image may combine the paths to a disk. */
  readonly multipath: { readonly isOff: boolean };
}

/** Which volumes of LVM are activated: those in volume groups of these names, those named "GROUP/VOLUME"; without either, what is needed to find the root. */
export interface LvmPlan {
  readonly isOff: boolean;
  readonly groups: readonly string[];
  readonly volumes: readonly string[];
  /** True if a RAID may do without a physical volume that is missing. */
  readonly isPartial: boolean;
}

/** Plans that. */
export function decideAssembled(settings: Settings): AssembledPlan {
  const { lvm, lvmGroups: groups, lvmVolumes: volumes, lvmPartial } = settings;
  return {
    arrays: { isOff: settings.raid === false, uuids: settings.raidUuids, names: settings.raidNames },
    lvm: { isOff: lvm === false, groups, volumes, isPartial: lvmPartial === true },
    // Of two with one name the last counts: the command line is stronger than the image.
    integrity: [...new Map(settings.integrity.map((volume) => [volume.name, volume])).values()],
    multipath: { isOff: settings.multipath === false },
  };
}
