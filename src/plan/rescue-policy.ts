import { parseCommandLine } from "../parameters/cmdline.ts";
import type { Settings } from "../parameters/parameters.ts";
import { readParameters, type Source, splitParameter } from "../parameters/read-parameters.ts";
import type { Mistake } from "../problems/diagnoses/boot.ts";
import { printable } from "../problems/report.ts";
import type { Manifest } from "./manifest.ts";
import { decideModules } from "./module-parameters.ts";
import type { BootPlan } from "./plan.ts";
import { NO_REMOTE } from "./remote/remote.ts";
import type { FailurePolicy } from "./rescue-plan.ts";

/** Decides what happens when a boot fails. */
export function decideRescue({
  shell,
  breaks,
  emergency,
  emergencySeconds,
  panicSeconds,
  saveLog,
  hooks,
  helpUrl,
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
    helpUrl: helpUrl ?? null,
  };
}

/** What may be process 1 by its name, where no user can put a program: its own rules decide about a shell. */
const INIT_NAME =
  /^(?:\/usr)?(?:\/s?bin|\/lib\/systemd|\/etc|\/nix\/store\/[^/]+)?\/(?:init|linuxrc|systemd|runit(?:-init)?|openrc-init|dinit|shepherd|s6-linux-init[\w-]*)$/;

/**
 * Finds an init= that counts, from outside an image whose own parameters lock the shell, unless it names an init or what the image names
 * too: many programs are as good as a shell (an interpreter, an editor), and a key in the image may have unlocked the root. One that a
 * later source overrides starts nothing, so `levain retry init=` repairs it.
 */
export function findRefusedInits(sources: readonly Source[]): readonly Mistake[] {
  const isOfImage = ({ origin }: Source) => origin.startsWith("levain.toml");
  const { shell, init: own } = readParameters(sources.filter(isOfImage)).settings;
  if (shell !== false && shell !== "ask") return [];
  const { init } = readParameters(sources).settings;
  if (init === undefined || init === own || INIT_NAME.test(init)) return [];
  const named = sources.findLast((source) => readParameters([source]).settings.init !== undefined);
  const text = `init=${init}: rdshell=${shell || "0"} of the image allows no program but an init, or one that the image names`;
  return [{ origin: named?.origin ?? "the kernel command line", text: printable(text) }];
}

/** True if a person decides what happens after a failure. */
export function isAttended(onFailure: FailurePolicy): onFailure is "shell" | "menu" {
  return onFailure === "shell" || onFailure === "menu";
}

/** True if a boot that fails stays where it is until a person comes. */
export function waitsForPerson({
  onFailure,
  afterSeconds,
}: Pick<BootPlan["rescue"], "onFailure" | "afterSeconds">): boolean {
  return isAttended(onFailure) && afterSeconds === null;
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
