import {
  type BlockDevice,
  describeDevice,
  describeObstacle,
  listBlockDeviceNames,
} from "../../../devices/block-devices.ts";
import { readBlockDevices } from "../../../devices/read-devices.ts";
import type { Loader } from "../../../drivers/make-loader.ts";
import type { Machine } from "../../../machine/machine.ts";
import { listOrNone } from "../../../machine/small-files.ts";
import { orIfRefused } from "../../../problems/errors.ts";
import { formatBytes } from "../../../problems/size.ts";
import { listOpenVolumes, restsOn } from "../../../storage/trust.ts";
import { type Contents, describeLastWrite, lookInside } from "./contents.ts";

/** A device that may hold the root, or the volume around it. */
export interface RootChoice {
  readonly device: BlockDevice;
  /** `/dev/vda2 ext4 "ROOT": Debian 12, 6.1.0-56, written yesterday`. */
  readonly text: string;
  /** The parameters that boot it; null: it has to be unlocked first. */
  readonly words: readonly string[] | null;
}

/** Types that are no filesystem, or none with files. */
const NO_ROOT = /_member$|^(?:swap|swsuspend|crypto_LUKS|linux_raid_member|bcache|BitLocker|DM_|zfs)/;

/** Lists what a root may be on, those with a system first. Each filesystem is mounted read-only for a moment. */
export function listRoots(machine: Machine, drivers: Pick<Loader, "loadFilesystem">): readonly RootChoice[] {
  const { devices } = readBlockDevices(machine, listBlockDeviceNames(machine));
  const isHeld = ({ name }: BlockDevice) => listOrNone(machine, `/sys/class/block/${name}/holders`).length > 0;
  const usable = devices.filter((device) => !isHeld(device) && describeObstacle(device) === null);
  const looked = usable.flatMap((device) => {
    const { type } = device.facts;
    if (type === "crypto_LUKS") return { device, rank: 1, words: null, text: describe(machine, device, "encrypted") };
    if (type === null || NO_ROOT.test(type)) return [];
    const contents = orIfRefused(() => lookInside(machine, drivers, device), null);
    const rank = rankOf(contents);
    const text = describe(machine, device, describeContents(contents));
    return { device, rank, words: wordsFor(machine, device, devices, contents), text };
  });
  return looked.toSorted((a, b) => a.rank - b.rank);
}

/** A volume that is closed has rank 1. */
function rankOf(contents: Contents | null): number {
  if (contents === null) return 3;
  return contents.hasInit || contents.image !== null ? 0 : 2;
}

function describe(machine: Machine, device: BlockDevice, contents: string): string {
  const facts = [contents, describeLastWrite(machine, device), formatBytes(device.sizeBytes)];
  return `${describeDevice(device)}: ${facts.filter((fact) => fact !== null).join(", ")}`;
}

function describeContents(contents: Contents | null): string {
  if (contents === null) return "cannot be mounted";
  const { system, kernel, hasInit, subvolume, image } = contents;
  const what = system ?? (hasInit ? "a system without a name" : "no system");
  const parts = [image === null ? what : `an image, ${image}`, kernel, subvolume && `in the subvolume ${subvolume}`];
  return parts.filter((part) => part).join(", ");
}

/** By UUID, which is the same at the next boot; a volume that the device lies in has to be named too. */
function wordsFor(
  machine: Machine,
  { name, node, facts }: BlockDevice,
  all: readonly BlockDevice[],
  contents: Contents | null,
): readonly string[] {
  const around = listOpenVolumes(machine).filter((volume) => restsOn(machine, [volume.device])({ name }));
  const outside = around.flatMap(({ device }) => listOrNone(machine, `/sys/class/block/${device}/slaves`));
  const volumes = all.filter((device) => outside.includes(device.name) && device.facts.uuid !== null);
  return [
    `root=${facts.uuid === null ? node : `UUID=${facts.uuid}`}`,
    ...(contents?.subvolume ? [`rootflags=subvol=${contents.subvolume}`] : []),
    ...(contents?.image ? [`rd.image=${contents.image}`] : []),
    ...volumes.map((volume) => `rd.luks.uuid=${volume.facts.uuid}`),
  ];
}
