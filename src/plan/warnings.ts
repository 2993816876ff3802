import { findParameters, type Settings } from "../parameters/parameters.ts";
import { readParameters, type Source } from "../parameters/read-parameters.ts";
import { isUnsupported } from "../parameters/unsupported.ts";
import { printable } from "../problems/report.ts";
import { isModuleParameter } from "./module-parameters.ts";
import type { BootPlan } from "./plan.ts";

/** A line for each word that nobody reads, but for the command line's: those may be the kernel's or init's. */
export function warnOfStrangers(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ origin }) => origin !== "the kernel command line")
    .flatMap(({ origin, words }) => words.map((word) => ({ origin, word })))
    .filter(({ word }) => findParameters(word.name).length === 0 && !isModuleParameter(word) && !isUnsupported(word))
    .map(({ origin, word }) => `${printable(word.name)} in ${origin} is not a parameter of levain, ignoring`);
}

/** A line for each parameter that was given, but has nothing to act on in this plan. */
export function warnOfUnused(settings: Settings, plan: BootPlan): readonly string[] {
  const { root, handover, image, copyToRam, overlaySize, putOld, emergency, breaks } = settings;
  const isFinal = plan.root.kind === "none";
  const unused: readonly (readonly [boolean, string])[] = [
    [
      handover === "stay" && root !== undefined && root.device !== null,
      "root= is not used: rd.handover=stay keeps the initramfs",
    ],
    [isFinal && handover !== undefined && !/^(?:stay|auto)$/.test(handover), `rd.handover=${handover} needs a root=`],
    [isFinal && image !== undefined, "rd.image= needs a root= that the image lies on"],
    [
      isFinal && settings.overlay !== undefined && settings.overlay !== false,
      "rd.overlay needs a root= to be put over",
    ],
    [
      !isFinal && copyToRam === true && plan.image === null,
      "rd.live.ram copies images only, and there is no rd.image= or root=live:",
    ],
    [!isFinal && overlaySize !== undefined && plan.overlay === null, "rd.overlay.size= needs rd.overlay"],
    [
      putOld !== undefined && /^(?:switch_root|stay)$/.test(plan.handover.mode),
      `rd.putold= is not used by ${plan.handover.mode}`,
    ],
    [emergency === "shell" && !plan.rescue.shell, "rd.emergency=shell is not used: rdshell=0 means no shell"],
    [breaks.length > 0 && !plan.rescue.shell, "rd.break is not used: rdshell=0 means no shell"],
  ];
  return unused.flatMap(([holds, text]) => (holds ? [text] : []));
}

/** A line for each word that asks for a shell in vain: one rdshell=0 is enough, wherever it stands. */
export function warnOfRefusedShell(sources: readonly Source[], { rescue }: BootPlan): readonly string[] {
  if (rescue.shell) return [];
  return sources
    .flatMap(({ origin, words }) => words.map((word) => ({ origin, words: [word] as const })))
    .filter((source) => (readParameters([source]).settings.shell ?? false) !== false)
    .map(({ words: [word] }) => `${printable(word.text)} gives no shell: rdshell=0 is never taken back`);
}
