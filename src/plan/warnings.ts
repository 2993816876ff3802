import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import { isUnsupported } from "../parameters/dialects/unsupported.ts";
import { findParameters, type Settings } from "../parameters/parameters.ts";
import { readParameters, type Source } from "../parameters/read-parameters.ts";
import { printable } from "../problems/report.ts";
import { isModuleParameter } from "./module-parameters.ts";
import { type BootPlan, onlyTexts } from "./plan.ts";
import { rootDevices } from "./root.ts";

/** Returns the unknown parameters as "NAME in ORIGIN", without those on the command line, which may be the kernel's or init's. */
export function findUnknownParameters(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ origin }) => origin !== "the kernel command line")
    .flatMap(({ origin, words }) => words.map((word) => ({ origin, word })))
    .filter(({ word }) => findParameters(word.name).length === 0 && !isModuleParameter(word) && !isUnsupported(word))
    .map(({ origin, word }) => `${printable(word.name)} in ${origin}`);
}

/** Returns a line for each parameter that has no effect in this plan. */
export function warnOfUnused(settings: Settings, plan: BootPlan): readonly string[] {
  const { root, handover, overlay, putOld } = settings;
  const isFinal = plan.root.kind === "none";
  const hasHandover = handover !== undefined && handover !== "stay" && handover !== "auto";
  return onlyTexts(
    handover === "stay" && root && root.device !== null && "root= is not used: rd.handover=stay keeps the initramfs",
    isFinal && hasHandover && `rd.handover=${handover} needs root=`,
    isFinal && settings.image !== undefined && "rd.image= needs root=, the device with the image",
    isFinal && overlay !== undefined && overlay !== false && "rd.overlay needs root=",
    !isFinal && settings.copyToRam && plan.image === null && "rd.live.ram needs an image: rd.image= or root=live:",
    !isFinal && settings.overlaySize !== undefined && plan.overlay === null && "rd.overlay.size= needs rd.overlay",
    isFinal && putOld !== undefined && "rd.putold= needs root=",
    settings.emergency === "shell" && !plan.rescue.shell && "rd.emergency=shell is not used: rdshell=0 forbids a shell",
    settings.breaks.length > 0 && !plan.rescue.shell && "rd.break is not used: rdshell=0 forbids a shell",
  );
}

/** Returns a line for each parameter that asks for a shell although rdshell=0 is given. */
export function warnOfRefusedShell(sources: readonly Source[], { rescue }: BootPlan): readonly string[] {
  if (rescue.shell) return [];
  return sources
    .flatMap(({ origin, words }) => words.map((word) => ({ origin, words: [word] as const })))
    .filter((source) => (readParameters([source]).settings.shell ?? false) !== false)
    .map(({ words: [word] }) => `${printable(word.text)} is not used: rdshell=0 forbids a shell`);
}

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
