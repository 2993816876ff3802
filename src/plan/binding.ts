import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "./plan.ts";
import { rootDevices } from "./root.ts";

/** What any disk can contain. */
const PUBLIC: readonly DeviceSpec["by"][] = ["label", "uuid", "partlabel", "partuuid", "file"];

/**
 * Returns warnings for a plan in which a key unlocks volumes without a person while any disk could have the name of the
 * root: only a name of the device mapper binds the root to the volume. For `levain plan` and `levain image`, because at
 * boot it is too late.
 */
export function warnOfUnboundRoot({ root, crypt }: Pick<BootPlan, "root" | "crypt">): readonly string[] {
  const isUnattended = [...crypt.volumes, crypt.unnamed].some(({ keys }) => keys.length > 0);
  if (!isUnattended || crypt.isOff) return [];
  const roots = rootDevices(root);
  const unbound = roots.filter(({ by }) => PUBLIC.includes(by)).map(formatDeviceSpec);
  if (roots.length > 0 && unbound.length === 0) return [];
  const why = unbound.length === 0 ? "" : `, and any disk can have a filesystem with the name ${unbound.join(" or ")}`;
  const cure = "bind the root to its volume with rd.luks.name=UUID=NAME root=/dev/mapper/NAME";
  return [`a key file unlocks volumes without a passphrase${why}: ${cure}`];
}
