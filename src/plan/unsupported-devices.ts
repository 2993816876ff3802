import { type DeviceSpec, decodeUdevName, formatDeviceSpec } from "../parameters/device-spec.ts";
import { notSupportedYet } from "../problems/not-supported.ts";
import { printable } from "../problems/report.ts";
import type { BootPlan } from "./plan.ts";
import { rootDevices } from "./root.ts";
import { listStores } from "./stack/overlay.ts";

/** The paths of devices that are made of others and that levain does not set up yet, and by what. */
const PATHS: readonly (readonly [layer: string, path: RegExp])[] = [
  ["multipath", /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)mpath[a-z]+(?:-part\d+|p?\d+)?$/],
  ["DRBD", /^\/dev\/drbd(?:\d+$|\/)/],
  ["ZFS", /^\/dev\/(?:zvol\/|zd\d+)/],
];

type UnsupportedIn = Pick<BootPlan, "root" | "layers" | "crypt" | "overlay" | "submounts">;

/** Returns a line for each device of the plan whose path says that levain cannot set it up yet; a name below /dev/mapper may also be that of an encrypted volume. */
export function warnOfUnsupportedDevices(plan: UnsupportedIn): readonly string[] {
  const volumes = plan.crypt.volumes.flatMap(({ name }) => name ?? []);
  const lines = listDevices(plan).flatMap((spec) => {
    const path = pathOf(spec);
    if (path === null || isOwn(path, volumes)) return [];
    const layer = PATHS.find(([, shape]) => shape.test(decodeUdevName(path)))?.[0];
    if (layer === undefined) return [];
    return [printable(`${formatDeviceSpec(spec)} may be a name of ${layer}: ${notSupportedYet(layer)}`)];
  });
  return [...new Set(lines)];
}

function listDevices({ root, layers, crypt, overlay, submounts }: UnsupportedIn): readonly DeviceSpec[] {
  const places = [...crypt.volumes, crypt.unnamed].flatMap(({ header, keys }) => [header, ...keys]);
  return [
    ...rootDevices(root),
    ...listStores({ overlay, submounts }),
    ...layers.flatMap((layer) => (layer.kind === "device" ? layer.device : [])),
    ...(submounts.usr?.device ? [submounts.usr.device] : []),
    ...crypt.volumes.map(({ device }) => device),
    ...places.flatMap((place) => place?.device ?? []),
  ];
}

function pathOf(spec: DeviceSpec): string | null {
  const own = spec.by === "sibling" ? spec.of : spec;
  return own.by === "path" ? own.path : null;
}

/**
 * True for /dev/mapper/NAME of a volume or of a partition in it, and for a partition in a partition of a disk with a slash in its
 * name, which levain maps itself: cciss-c0d0p1p1.
 */
function isOwn(path: string, volumes: readonly string[]): boolean {
  const name = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)(.+)$/.exec(path)?.[1];
  if (name === undefined) return false;
  const isInVolume = (volume: string) => name.startsWith(volume) && /^(?:p?\d+)?$/.test(name.slice(volume.length));
  return /\dp\d+p\d+$/.test(name) || volumes.some(isInVolume);
}
