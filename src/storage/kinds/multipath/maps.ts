import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Mapping } from "../../../machine/encryption.ts";
import type { Machine } from "../../../machine/machine.ts";
import { textOrNone } from "../../../machine/small-files.ts";
import { tolerateRefusal } from "../../../problems/errors.ts";
import type { DeviceState, Link, StorageContext } from "../../contract.ts";
import { adoptMapping, listBelow } from "../../device-mapper/mapping.ts";

/** A device that multipath made, and the disks below it. */
interface PathMap {
  readonly mapping: Mapping;
  readonly paths: readonly string[];
}

/** The devices of multipath in one search. */
export interface PathMaps {
  /** The disks that are paths, by the kernel's names. */
  paths(): readonly string[];
  /** Takes over what multipath has made since the last call. */
  adopt(): void;
  links(): readonly Link[];
  /** null for what lies on no path. */
  state(device: BlockDevice): DeviceState | null;
}

const diskOf = ({ name, partition }: BlockDevice) => partition?.disk ?? name;

/** Begins with those that an earlier search has left. */
export function createPathMaps(context: StorageContext): PathMaps {
  const { machine, present } = context;
  let maps = listMaps(machine);
  const mapOf = (device: BlockDevice) => maps.find(({ paths }) => paths.includes(diskOf(device))) ?? null;
  const partOf = ({ mapping }: PathMap, index: number) =>
    present().find(({ name }) => readUuid(machine, name) === `part${index}-${mapping.uuid}`);

  function linkParts(map: PathMap): readonly Link[] {
    return present().flatMap(({ name, partition }) => {
      const part = map.paths.includes(partition?.disk ?? "") ? partOf(map, partition?.index ?? 0) : undefined;
      return part === undefined ? [] : [{ from: [name], to: part.name, isReplacement: true }];
    });
  }

  return {
    paths: () => maps.flatMap(({ paths }) => paths),
    adopt() {
      const known = maps.map(({ mapping }) => mapping.device);
      maps = listMaps(machine);
      context.takeEvents();
      for (const { mapping } of maps) if (!known.includes(mapping.device)) adoptMap(context, mapping);
    },
    links: () =>
      maps.flatMap((map) => [{ from: map.paths, to: map.mapping.device, isReplacement: true }, ...linkParts(map)]),
    state(device) {
      const map = mapOf(device);
      if (map === null) return null;
      const text = `a path of /dev/mapper/${map.mapping.name}`;
      const { partition } = device;
      const isUsed = partition === null || partOf(map, partition.index) !== undefined;
      return isUsed ? { kind: "open", text, closes: false } : { kind: "incomplete", text };
    },
  };
}

/** Without udev, libdevmapper makes a node where udev of the real system expects a link. */
function adoptMap(context: StorageContext, mapping: Mapping): void {
  const { machine } = context;
  const path = `/dev/mapper/${mapping.name}`;
  adoptMapping(context, mapping);
  tolerateRefusal(() => {
    if (machine.lstat(path)?.kind === "symlink") return;
    machine.removeFile(path);
    machine.makeSymlink(`../${mapping.device}`, path);
  });
  context.look(mapping.device);
}

function listMaps(machine: Machine): readonly PathMap[] {
  return machine
    .listMappings()
    .filter(({ uuid }) => uuid.startsWith("mpath-"))
    .map((mapping) => ({ mapping, paths: listBelow(machine, mapping.device) }));
}

function readUuid(machine: Machine, name: string): string {
  return name.startsWith("dm-") ? textOrNone(machine, `/sys/class/block/${name}/dm/uuid`).trim() : "";
}
