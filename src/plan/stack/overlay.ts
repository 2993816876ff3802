import type { DeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { OverlayPlan, StorePlan } from "../../parameters/stack/overlay.ts";
import type { StoreSpec } from "../../parameters/stack/store-spec.ts";
import type { BootPlan, CryptPlan, CryptVolume } from "../plan.ts";
import { rootDevices } from "../root.ts";

interface Surroundings {
  /** True if the root cannot be written to without an overlay. */
  readonly isUnwritable: boolean;
  /** As in `uname -m`. */
  readonly machine: string;
}

/** Decides the writable layer: over images by default, because their filesystems are read-only, and most systems need a writable root. */
export function decideOverlay(settings: Settings, { isUnwritable, machine }: Surroundings): OverlayPlan | null {
  const { overlay, overlayfs, overlaySize = null } = settings;
  const byDefault = (isUnwritable || overlayfs === true) && ({ kind: "tmpfs", size: null } as const);
  const asked = overlay ?? decideCow(settings, machine) ?? byDefault;
  if (asked === false) return null;
  if (asked.kind === "tmpfs") return { kind: "tmpfs", size: asked.size ?? overlaySize };
  return {
    kind: "store",
    store: planStore(asked, settings),
    policy: settings.overlayPolicy ?? "required",
    reset: settings.overlayReset === true,
    readOnly: settings.overlayReadOnly === true,
    size: overlaySize,
  };
}

/** Returns the place that a parameter names, as the boot opens it. */
export function planStore(
  { device, path }: StoreSpec,
  { cowFlags = "", liveDirectory = "/LiveOS" }: Settings,
): StorePlan {
  const isAuto = path === "auto";
  return { device, path: isAuto ? liveDirectory || null : path, isNamedByMedium: isAuto, options: cowFlags };
}

/** archiso's: without cow_directory= a directory for each medium and architecture (its hooks/archiso). */
function decideCow({ cowDevice, cowDirectory, archDevice }: Settings, machine: string) {
  if (cowDevice === undefined) return;
  const label = archDevice?.by === "label" ? archDevice.value : "";
  const path = cowDirectory ?? `/persistent_${label.replaceAll("/", "_")}/${machine}`;
  return { kind: "store" as const, device: cowDevice, path: path || null };
}

/** Returns the devices that keep changes. */
export function listStores({ overlay, submounts }: Pick<BootPlan, "overlay" | "submounts">): readonly DeviceSpec[] {
  const ofUnions = submounts.unions.flatMap(({ store }) => store?.device ?? []);
  return [...(overlay?.kind === "store" ? [overlay.store.device] : []), ...ofUnions];
}

/** True if a parameter that names `device` means this volume. */
function isVolumeOf({ device: own, name }: CryptVolume, device: DeviceSpec): boolean {
  if (device.by === "path" && name !== null && device.path === `/dev/mapper/${name}`) return true;
  const uuid = device.by === "uuid" ? device.value.toLowerCase() : null;
  if (uuid !== null && own.by === "luks") return uuid.startsWith(own.prefix);
  if (device.by === "path" && own.by === "luks") return device.path === `/dev/mapper/luks-${own.prefix}`;
  return Bun.deepEquals(own, device);
}

/**
 * Returns the plan for the encrypted volumes that the root may lie in: without those that only keep changes. They stay closed until
 * the root is found, and the root need not lie in them.
 */
export function cryptForRoot(plan: Pick<BootPlan, "crypt" | "overlay" | "submounts" | "root">): CryptPlan {
  const stores = listStores(plan);
  const roots = rootDevices(plan.root);
  const isForStore = (volume: CryptVolume) =>
    stores.some((device) => isVolumeOf(volume, device)) && !roots.some((device) => isVolumeOf(volume, device));
  return { ...plan.crypt, volumes: plan.crypt.volumes.filter((volume) => !isForStore(volume)) };
}

/** Returns the plan for the volumes that the store on `device` may lie in: its own, or else those of the root. */
export function cryptForStore(
  plan: Pick<BootPlan, "crypt" | "overlay" | "submounts" | "root">,
  device: DeviceSpec,
): CryptPlan {
  const own = plan.crypt.volumes.filter((volume) => isVolumeOf(volume, device));
  return own.length === 0 ? cryptForRoot(plan) : { ...plan.crypt, volumes: own, everyLuks: false };
}
