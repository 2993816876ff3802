import type { DeviceSpec } from "../parameters/device-spec.ts";
import { formatDeviceSpec } from "../parameters/device-spec.ts";
import type { BootPlan } from "./plan.ts";
import { rootDevices } from "./root.ts";

/** What anybody can write onto a disk of their own. */
const PUBLIC: readonly DeviceSpec["by"][] = ["label", "uuid", "partlabel", "partuuid", "file"];

const BINDING = "rd.luks.name=UUID=NAME root=/dev/mapper/NAME";

/**
 * Warnings for a plan in which a key opens volumes without a person while the root has a name that anybody can give to a
 * filesystem: only a name of device mapper's binds the root to the volume. For `levain plan` and `levain image`; at boot it
 * is too late.
 */
export function warnOfUnboundRoot({ root, crypt }: Pick<BootPlan, "root" | "crypt">): readonly string[] {
  const isUnattended = [...crypt.volumes, crypt.unnamed].some(({ keys }) => keys.length > 0);
  if (!isUnattended || crypt.isOff) return [];
  const roots = rootDevices(root);
  const unbound = roots.filter(({ by }) => PUBLIC.includes(by)).map(formatDeviceSpec);
  if (roots.length > 0 && unbound.length === 0) return [];
  const why = unbound.length === 0 ? "" : `, and anybody can give a filesystem the name ${unbound.join(" or ")}`;
  return [`a key file opens volumes without a person${why}: bind the root with ${BINDING}`];
}
