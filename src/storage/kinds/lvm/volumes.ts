import type { BlockDevice } from "../../../devices/block-devices.ts";
import { splitVolumeName } from "../../../devices/persistent-names.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import { BootError, tolerateRefusal } from "../../../problems/errors.ts";
import type { Link, StorageContext, Trouble } from "../../contract.ts";
import { removeMapping } from "../../device-mapper/mapping.ts";
import { activateVolume } from "./activate.ts";
import type { JudgedGroup } from "./judge.ts";
import { unlinkVolume } from "./links.ts";
import { indexGroup } from "./tables/group-index.ts";
import { planVolume } from "./tables/plan-volume.ts";
import { isWrittenWhenActivated, type VainTest } from "./wanted.ts";

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
  /** A group may have a thousand volumes, and each device is asked for. */
  let shown: { readonly links: readonly Link[]; readonly names: ReadonlySet<string> } | null = null;

  function findShown() {
    shown ??= listShown([...active.values()]);
    return shown;
  }

  function activate(judged: Group, volume: LogicalVolume): void {
    const key = keyOf(judged, volume);
    failed.delete(key);
    try {
      const mappings = activateVolume(context, judged, volume, isPartial);
      const device = mappings.at(-1)?.device ?? "";
      active.set(key, { judged, volume, device, mappings });
      shown = null;
      context.look(device);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      failed.set(key, { judged, volume, error });
    }
  }

  function deactivateAll(which: (one: ActiveVolume) => boolean): boolean {
    const found = [...active].filter(([, one]) => which(one)).toReversed();
    // An origin is active with its snapshots, and a snapshot with its origin.
    const uses = new Map<string, number>();
    const count = (device: string, more: number) => {
      uses.set(device, (uses.get(device) ?? 0) + more);
      return uses.get(device);
    };
    for (const { mappings } of active.values()) for (const { device } of mappings) count(device, 1);
    for (const [key, one] of found) {
      active.delete(key);
      deactivate(
        context,
        one,
        one.mappings.filter(({ device }) => count(device, -1) === 0),
      );
    }
    shown = null;
    return found.length > 0;
  }

  return {
    list: () => [...active.values()],
    /** Links the devices that are active with a volume to it: a snapshot shows the same filesystem as its origin. */
    listShown: () => findShown().links,
    isShown: (name: string) => findShown().names.has(name),
    /** True for a volume that is neither active nor was refused with the members that are present. */
    isOpenable(judged: Group, volume: LogicalVolume): boolean {
      const key = keyOf(judged, volume);
      return !active.has(key) && failed.get(key)?.judged !== judged;
    },
    /** Activates volumes; true if one is active now. */
    activateAll(judged: Group, volumes: readonly LogicalVolume[]): boolean {
      if (volumes.some((volume) => isWrittenWhenActivated(judged.group, volume))) context.beforeWriting();
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

/** Removes the devices of a volume that no other one keeps; what is in use stays. */
function deactivate({ machine }: StorageContext, { judged, volume }: ActiveVolume, own: readonly Mapping[]): void {
  tolerateRefusal(() => {
    for (const mapping of own.toReversed()) removeMapping(machine, mapping);
    unlinkVolume(machine, judged.group, volume);
  });
}

function keyOf({ group, isInside }: Group, volume: LogicalVolume): string {
  return `${group.id} ${volume.id} ${isInside}`;
}

function listShown(active: readonly ActiveVolume[]) {
  const own = new Set(active.map(({ device }) => device));
  const links = active.flatMap(({ judged: { group }, device: to, mappings }) => {
    const { snapshots } = indexGroup(group);
    // The other devices below a volume are hidden.
    const isSnapshot = ({ name }: Mapping) => snapshots.has(splitVolumeName(name)?.volume ?? "");
    const others = mappings.filter((mapping) => isSnapshot(mapping) && !own.has(mapping.device));
    return others.map(({ device }) => ({ from: [device], to, isReplacement: true }));
  });
  return { links, names: new Set(links.flatMap(({ from }) => from)) };
}
