import { onlyTexts } from "../formats/text.ts";
import type { Word } from "../parameters/cmdline.ts";
import { type DeviceSpec, formatDeviceSpec } from "../parameters/device-spec.ts";
import { isUnsupported } from "../parameters/dialects/unsupported.ts";
import type { Inherited } from "../parameters/inherited.ts";
import { findMisspelled, type Misspelling, suggestParameter } from "../parameters/misspelled.ts";
import { findParameters, type Settings } from "../parameters/parameters.ts";
import { readParameters, type Source } from "../parameters/read-parameters.ts";
import { printable } from "../problems/report.ts";
import { isModuleParameter } from "./module-parameters.ts";
import type { BootPlan } from "./plan.ts";
import { rootDevices } from "./root.ts";

/** A parameter that is not levain's. */
interface Unknown {
  /** "NAME in ORIGIN", safe to print. */
  readonly text: string;
  /** The parameter that may be meant; null if none is near. */
  readonly meant: string | null;
}

/**
 * Returns the unknown parameters. On the command line, which has the kernel's and init's too, these are only the misspelled
 * ones; `inherited` is what the kernel passed on because it does not know it.
 */
export function findUnknownParameters(sources: readonly Source[], inherited: Inherited | null): readonly Unknown[] {
  return sources.flatMap(({ origin, words }) =>
    findStrangers(origin, words, inherited).map(({ word, meant }) => ({
      text: `${printable(word.name)} ${origin === "the kernel command line" ? "on" : "in"} ${origin}`,
      meant,
    })),
  );
}

function findStrangers(
  origin: Source["origin"],
  words: readonly Word[],
  inherited: Inherited | null,
): readonly Misspelling[] {
  const misspelled = findMisspelled(words, inherited === null ? undefined : (name) => isPassedOn(inherited, name));
  if (origin === "the kernel command line") return misspelled;
  const isKnown = (word: Word) => findParameters(word.name).length > 0 || isUnsupported(word);
  return words.flatMap((word) => {
    const near = misspelled.find((one) => one.word === word);
    if (near !== undefined) return [near];
    return isKnown(word) || isModuleParameter(word) ? [] : [{ word, meant: suggestParameter(word.name) }];
  });
}

function isPassedOn({ argv, environment }: Inherited, name: string): boolean {
  return argv.includes(name) || environment.some((text) => text.startsWith(`${name}=`));
}

/** Returns a line for an unknown parameter, with the one that may be meant. */
export function describeUnknown({ text, meant }: Unknown): string {
  return `${text} is not a parameter of levain, ignoring it${meant === null ? "" : `: did you mean ${meant}?`}`;
}

function warnOfUnusedStore(
  { overlayPolicy, overlayReset, overlayReadOnly }: Settings,
  { root, overlay, persistence, submounts }: BootPlan,
): readonly string[] {
  if (root.kind === "none") return [];
  if (overlay?.kind === "store") {
    return onlyTexts(
      overlay.reset &&
        overlay.readOnly &&
        "rd.overlay.reset is not used: rd.overlay.readonly writes nothing to the device",
    );
  }
  const isUsed = persistence !== null || submounts.unions.some(({ store }) => store !== null);
  const why = "needs a device in rd.overlay=";
  return onlyTexts(
    overlayPolicy !== undefined && !isUsed && `rd.overlay.policy= ${why} or rd.union=`,
    overlayReset === true && `rd.overlay.reset ${why}`,
    overlayReadOnly === true && !isUsed && `rd.overlay.readonly ${why} or rd.union=`,
  );
}

/** What needs a root to be mounted below. */
function warnOfUnusedBelow({ unions, tmpfs, usr, volatile }: Settings, { root }: BootPlan): readonly string[] {
  if (root.kind !== "none") return [];
  return onlyTexts(
    unions.length > 0 && "rd.union= needs root=",
    tmpfs.length > 0 && "rd.tmpfs= needs root=",
    usr !== undefined && "mount.usr= needs root=",
    volatile === true && "systemd.volatile=yes needs root=",
  );
}

/** What needs a search for the root. */
function warnOfUnusedSearch({ rootFallbacks }: Settings, { root, crypt }: BootPlan): readonly string[] {
  if (root.kind === "none" || root.kind === "block") return [];
  const isAsked = !crypt.isOff && (crypt.everyLuks || crypt.volumes.some(({ isOptional }) => !isOptional));
  return onlyTexts(
    rootFallbacks.length > 0 && "rootfallback= is not used: root= is no block device",
    isAsked && "encrypted volumes are not unlocked: root= is no block device",
  );
}

function warnOfUnusedNfs({ boot, nfsRoot }: Settings, { root }: BootPlan): readonly string[] {
  const isUsed = root.kind === "nfs" || root.kind === "dhcp";
  return onlyTexts(
    !isUsed && boot === "nfs" && "boot=nfs is not used: root= names another root",
    !isUsed && nfsRoot !== undefined && "nfsroot= is not used: it needs root=/dev/nfs or boot=nfs",
  );
}

/** Returns a line for each parameter that has no effect in this plan. */
export function warnOfUnused(settings: Settings, plan: BootPlan): readonly string[] {
  const { root, handover, overlay, putOld } = settings;
  const isFinal = plan.root.kind === "none";
  const hasHandover = handover !== undefined && handover !== "stay" && handover !== "auto";
  return onlyTexts(
    handover === "stay" &&
      root &&
      (root.device ?? root.other) !== null &&
      "root= is not used: rd.handover=stay keeps the initramfs",
    isFinal && hasHandover && `rd.handover=${handover} needs root=`,
    isFinal && settings.image !== undefined && "rd.image= needs root=, the device with the image",
    isFinal && overlay !== undefined && overlay !== false && "rd.overlay needs root=",
    !isFinal &&
      Boolean(settings.iso) &&
      plan.image === null &&
      "the ISO file is not used: it needs rd.image= or root=live:",
    settings.archive !== undefined &&
      plan.image?.memory === undefined &&
      "rd.archive= is not used: it needs root=tmpfs or root=ramfs",
    !isFinal && settings.copyToRam && plan.image === null && "rd.live.ram needs an image: rd.image= or root=live:",
    ...warnOfUnusedStore(settings, plan),
    !isFinal &&
      settings.persistence &&
      plan.persistence === null &&
      "persistence is not used: it needs boot=live or boot=casper, and a tmpfs as the overlay; see rd.overlay=DEVICE",
    ...warnOfUnusedBelow(settings, plan),
    ...warnOfUnusedSearch(settings, plan),
    ...warnOfUnusedNfs(settings, plan),
    !isFinal &&
      settings.overlaySize !== undefined &&
      plan.overlay === null &&
      plan.volatile === null &&
      "rd.overlay.size= needs rd.overlay",
    isFinal && putOld !== undefined && "rd.putold= needs root=",
    settings.emergency === "shell" && !plan.rescue.shell && "rd.emergency=shell is not used: rdshell=0 forbids a shell",
    settings.emergencySeconds !== undefined &&
      plan.rescue.afterSeconds === null &&
      `rd.emergency.after= is not used: rd.emergency=${settings.emergency} waits for a person`,
    settings.breaks.length > 0 && !plan.rescue.shell && "rd.break is not used: rdshell=0 forbids a shell",
  );
}

/** Returns a line for each parameter that asks for a shell although a stronger one is given. */
export function warnOfRefusedShell(sources: readonly Source[], { rescue: { shell } }: BootPlan): readonly string[] {
  if (shell === true || shell === "keep") return [];
  const why = shell === "ask" ? "rdshell=ask asks for the password first" : "rdshell=0 forbids a shell";
  return sources
    .flatMap(({ origin, words }) => words.map((word) => ({ origin, words: [word] as const })))
    .filter((source) => {
      const { shell: given = false } = readParameters([source]).settings;
      return given !== false && given !== shell;
    })
    .map(({ words: [word] }) => `${printable(word.text)} is not used: ${why}`);
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
