import type { Machine } from "../../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../../machine/small-files.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import { listArrays } from "../../device-mapper/mapping.ts";

/** Documentation/admin-guide/md.rst: "external:imsm" is a container, and "external:/md127/0" a volume in it. */
const [CONTAINER, VOLUME] = [/^external:[^/]/, /^external:\//];

/** Returns the containers, by the kernel's names, that mdadm has added a disk to. */
export function containersOf(machine: Machine, disk: string): readonly string[] {
  return holdersOf(machine, disk, CONTAINER);
}

/** Returns the volumes that were started on a disk. */
export function findVolumes(machine: Machine, disk: string): readonly string[] {
  return holdersOf(machine, disk, VOLUME).filter(
    (name) => Number(textOrNone(machine, `/sys/class/block/${name}/size`)) > 0,
  );
}

/** A container with its volumes, by the kernel's names. */
export interface Container {
  readonly name: string;
  readonly volumes: readonly string[];
}

/** Lists the containers that mdadm has made. */
export function listContainers(machine: Machine): readonly Container[] {
  const arrays = listArrays(machine);
  return arrays
    .filter((array) => CONTAINER.test(metadataOf(machine, array)))
    .map((name) => ({
      name,
      volumes: arrays.filter((array) => metadataOf(machine, array).startsWith(`external:/${name}/`)),
    }));
}

/** Returns the kind of superblock of an array. Of one that is just being stopped, the kernel refuses to say it: EBUSY (md_attr_show() of drivers/md/md.c). */
function metadataOf(machine: Machine, array: string): string {
  return orIfRefused(() => textOrNone(machine, `/sys/class/block/${array}/md/metadata_version`), "");
}

function holdersOf(machine: Machine, disk: string, metadata: RegExp): readonly string[] {
  return listOrNone(machine, `/sys/class/block/${disk}/holders`).filter((name) =>
    metadata.test(metadataOf(machine, name)),
  );
}
