import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { BootError, tolerateRefusal } from "../../../problems/errors.ts";
import type { Link, StorageContext, Trouble } from "../../contract.ts";
import { removeMapping } from "../../device-mapper/mapping.ts";
import { activateVolume } from "./activate.ts";
import type { JudgedGroup } from "./judge.ts";
import { unlinkVolume } from "./links.ts";
import { planVolume } from "./tables/plan-volume.ts";
import type { VainTest } from "./wanted.ts";

type Group = JudgedGroup<BlockDevice>;

/** A volume that is active, and what it was made of. */
export interface ActiveVolume {
  readonly judged: Group;
  readonly volume: LogicalVolume;
  /** The kernel's name of its device. */
  readonly device: string;
  /** All devices that it needs, its own last. */
  readonly mappings: readonly Mapping[];
}

/** A volume that cannot be activated with these members. */
interface Failed {
  readonly judged: Group;
  readonly volume: LogicalVolume;
  readonly error: BootError;
}

/** Keeps the volumes that one search has activated. */
export function createVolumes(context: StorageContext, { isPartial }: { readonly isPartial: boolean }) {
  const active = new Map<string, ActiveVolume>();
  const failed = new Map<string, Failed>();

  function activate(judged: Group, volume: LogicalVolume): void {
    const key = keyOf(judged, volume);
    failed.delete(key);
    try {
      const mappings = activateVolume(context, judged, volume, isPartial);
      const device = mappings.at(-1)?.device ?? "";
      active.set(key, { judged, volume, device, mappings });
      context.look(device);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      failed.set(key, { judged, volume, error });
    }
  }

  function deactivateAll(which: (one: ActiveVolume) => boolean): boolean {
    const found = [...active].filter(([, one]) => which(one)).toReversed();
    for (const [key, one] of found) {
      active.delete(key);
      // An origin is active with its snapshots, and a snapshot with its origin.
      const kept = new Set([...active.values()].flatMap(({ mappings }) => mappings.map(({ device }) => device)));
      deactivate(context, one, kept);
    }
    return found.length > 0;
  }

  return {
    list: () => [...active.values()],
    /** Links the devices that are active with a volume to it: a snapshot shows the same filesystem as its origin. */
    listShown(): readonly Link[] {
      const own = new Set([...active.values()].map(({ device }) => device));
      return [...active.values()].flatMap(({ device: to, mappings }) =>
        mappings.flatMap(({ device }) => (own.has(device) ? [] : [{ from: [device], to, isReplacement: true }])),
      );
    },
    /** True for a volume that is neither active nor was refused with the members that are present. */
    isOpenable(judged: Group, volume: LogicalVolume): boolean {
      const key = keyOf(judged, volume);
      return !active.has(key) && failed.get(key)?.judged !== judged;
    },
    /** Activates volumes; true if one is active now. */
    activateAll(judged: Group, volumes: readonly LogicalVolume[]): boolean {
      const before = active.size;
      for (const volume of volumes) activate(judged, volume);
      return active.size > before;
    },
    /** Deactivates volumes, the newest first; true if there is one. */
    deactivateAll,
    /** `isVain`: waiting does not help a volume that levain cannot activate, whatever appears. */
    problems: (isVain: VainTest): readonly Trouble[] =>
      [...failed.values()].map(({ judged, volume, error }) => {
        const isUnsupported = () => "refusal" in planVolume(judged.group, volume);
        return { error, isFatal: isVain(judged, volume.name) && isUnsupported() };
      }),
  };
}

/** Removes what was made for a volume; a device that is in use, or that another volume keeps, stays. */
function deactivate(
  { machine }: StorageContext,
  { judged, volume, mappings }: ActiveVolume,
  kept: ReadonlySet<string>,
) {
  tolerateRefusal(() => {
    for (const mapping of mappings.toReversed()) if (!kept.has(mapping.device)) removeMapping(machine, mapping);
    unlinkVolume(machine, judged.group, volume);
  });
}

function keyOf({ group, isInside }: Group, volume: LogicalVolume): string {
  return `${group.id} ${volume.id} ${isInside}`;
}
