import { parseCommandLine } from "../parameters/cmdline.ts";
import type { Settings } from "../parameters/parameters.ts";
import { readParameters, type Source, splitParameter } from "../parameters/read-parameters.ts";
import type { Manifest } from "./manifest.ts";
import { decideModules } from "./module-parameters.ts";
import type { BootPlan, FailurePolicy } from "./plan.ts";
import { NO_REMOTE } from "./remote/remote.ts";

/** Decides what happens when a boot fails. */
export function decideRescue({
  shell,
  breaks,
  emergency,
  emergencySeconds,
  panicSeconds,
  saveLog,
  hooks,
}: Settings): BootPlan["rescue"] {
  const hasShell = shell !== false;
  const reboots = typeof panicSeconds === "number";
  const withoutShell: FailurePolicy = reboots ? "reboot" : "halt";
  const asked = emergency ?? (reboots || emergencySeconds !== undefined ? "reboot" : "shell");
  const onFailure = asked === "shell" && !hasShell ? withoutShell : asked;
  return {
    shell: shell ?? true,
    breaks: hasShell ? [...new Set(breaks)] : [],
    onFailure,
    afterSeconds: onFailure === "shell" ? null : (emergencySeconds ?? null),
    panicSeconds: panicSeconds ?? null,
    log: saveLog ?? null,
    hasHooks: hooks ?? true,
  };
}

/** The decisions for a boot that failed before it had a plan. */
export type PlanOfRescue = Pick<BootPlan, "rescue" | "modules">;

/**
 * Makes these decisions from the valid parameters. Without a manifest, the image's own parameters are those of
 * /etc/levain.cmdline, which stage0 obeys too. Never throws.
 */
export function planRescue(
  cmdline: Uint8Array | string,
  manifest: Manifest | null = null,
  imageWords: Uint8Array | string = "",
): PlanOfRescue {
  const ofImage = manifest?.parameters.map(splitParameter) ?? parseCommandLine(imageWords).words;
  const sources: readonly Source[] = [
    { origin: "levain.toml", words: ofImage },
    { origin: "the kernel command line", words: parseCommandLine(cmdline).words },
  ];
  const { settings } = readParameters(sources);
  const words = sources.flatMap((source) => source.words);
  return { rescue: decideRescue(settings), modules: decideModules(settings, words, NO_REMOTE) };
}
