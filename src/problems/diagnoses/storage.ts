import { distinct } from "../causes/cause.ts";
import { WITHOUT_FSTAB } from "../causes/mount.ts";
import { SEARCH_CAUSES, type SearchCause } from "../causes/search.ts";
import { VERIFIED_HINTS } from "../causes/verity.ts";
import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import type { Hint } from "../errors.ts";
import { printable } from "../report.ts";
import { BOOT_WITHOUT_STORE } from "../store-hints.ts";
import { describeGap, type ModuleGap } from "./drivers.ts";

/** A device that was looked for and not found. */
export interface MissingDevice {
  /** As in a sentence: `device with label "ROOT"`. */
  readonly noun: string;
  /** As the command line spells it. */
  readonly spec: string;
  /** Which of its members are present; null if that is not the reason. */
  readonly incomplete: string | null;
  /** The devices that it names outside the volumes that the root has to lie in. */
  readonly strangers: readonly { readonly text: string; readonly node: string; readonly luksUuid: string | null }[];
}

/** A search that found nothing. */
export interface VainSearch {
  readonly wanted: "root" | "layer" | "image" | "store" | "submount";
  /** Of the layer or the image, or the path in the root. */
  readonly name: string;
  /** null: no limit. */
  readonly withinSeconds: number | null;
  /** The wanted device, then each fallback. */
  readonly devices: readonly MissingDevice[];
  /** True if the device has to be verified by dm-verity. */
  readonly isVerified: boolean;
  /** What else did not come, a sentence each. */
  readonly troubles: readonly string[];
  /** What to try if one of them is the reason. */
  readonly known: readonly Hint[];
  readonly isAnyDevicePresent: boolean;
  /** What the image has instead of modules for the running kernel; null if it has those. */
  readonly moduleGap: ModuleGap | null;
  /** True if a device is encrypted and no parameter asks to unlock it. */
  readonly isAnyUnasked: boolean;
  /** What may be the reason, the likeliest first. */
  readonly causes: readonly SearchCause[];
}

const TITLES: Readonly<Record<VainSearch["wanted"], (name: string) => string>> = {
  root: () => "could not find the root device",
  layer: (name) => `could not find the layer ${name}`,
  image: (name) => `could not unlock the image ${name}`,
  submount: (name) => `could not find the device for ${name}`,
  store: (name) => `could not find the device for the changes, ${name}`,
};

/** Says which devices are not used although a spec names them. */
export function describeStrangers(texts: readonly string[], isVerified: boolean): string {
  const why = isVerified ? "no root hash verifies it" : "it lies outside the encrypted volumes that parameters name";
  return `${texts.join(" and ")}, not used: ${why}`;
}

function explainMissing({
  wanted,
  withinSeconds,
  devices,
  isVerified,
  troubles,
  causes,
}: VainSearch): readonly string[] {
  const within = withinSeconds === null ? "" : ` within ${withinSeconds} s`;
  const reasons = devices.map(({ noun, spec, incomplete, strangers }, index) => {
    if (incomplete !== null) return `only ${incomplete}`;
    if (strangers.length > 0)
      return `${spec} is ${describeStrangers(
        strangers.map(({ text }) => text),
        isVerified,
      )}`;
    if (wanted === "image") return `nothing unlocked it${within}`;
    return `no ${noun} appeared${index === 0 ? within : " either"}`;
  });
  return [...reasons, ...troubles, ...causes.map((cause) => SEARCH_CAUSES[cause.kind].reason(cause))];
}

const ADD_DRIVER = inBuilder("add the disk's driver: levain image --module NAME");

/** An image without any modules is for a kernel with its drivers built in, as long as a disk is there. */
function likelyGap({ moduleGap, isAnyDevicePresent }: VainSearch): ModuleGap | null {
  return moduleGap?.kernels.length === 0 && isAnyDevicePresent ? null : moduleGap;
}

function explainDriver(facts: VainSearch): readonly string[] {
  const gap = likelyGap(facts);
  const why = gap === null ? [] : [describeGap(gap)];
  if (facts.isAnyDevicePresent || facts.wanted !== "root" || facts.causes.length > 0 || facts.known.length > 0)
    return why;
  return [["the disk is missing, or its driver is", ...why].join(": ")];
}

/** Advice about single drivers is of no use to an image that has none for this kernel. */
function hintForDriver(facts: VainSearch): Hint {
  const gap = likelyGap(facts);
  if (gap === null) return ADD_DRIVER;
  return inBuilder(`build an image for this kernel: levain image --kernel ${printable(gap.release)}`);
}

function hintsForMissing(facts: VainSearch): readonly Hint[] {
  const { wanted, devices } = facts;
  const strangers = devices.flatMap((device) => device.strangers);
  if (facts.isVerified) return VERIFIED_HINTS;
  const volume = strangers.find(({ luksUuid }) => luksUuid !== null);
  if (volume !== undefined) {
    return [inBootLoader(`if ${volume.node} holds the root, name it too: rd.luks.uuid=${volume.luksUuid}`)];
  }
  if (strangers.length > 0) {
    const optional = "if the root is not encrypted, make the volume optional: rd.luks.options=UUID=nofail";
    return [inShell("unlock the volume that holds the root: `levain unlock`"), inBootLoader(optional)];
  }
  if (wanted === "image") {
    return [inShell("`exit` tries again"), inBootLoader("name its key file: rd.luks.key=")];
  }
  if (wanted === "root" && devices.some(({ incomplete }) => incomplete !== null)) {
    return [byHand("attach the missing disk"), inBootLoader("mount without it: add degraded to rootflags=")];
  }
  const known = distinct([...facts.known, ...facts.causes.flatMap((cause) => SEARCH_CAUSES[cause.kind].hints(cause))]);
  if (known.length > 0) {
    const isCorrected = known.some(({ needs }) => needs === "boot loader");
    return [...known, ...hintsForUnknown(facts).filter(({ needs }) => !isCorrected || needs !== "boot loader")];
  }
  return [...hintsForUnknown(facts), ...(facts.isAnyUnasked ? [] : [hintForDriver(facts)])];
}

/** What to try whatever the cause is. */
function hintsForUnknown(facts: VainSearch): readonly Hint[] {
  const { wanted, isAnyDevicePresent, isAnyUnasked } = facts;
  if (wanted === "layer") return [byHand("attach the disk"), inBootLoader("correct rd.layer=")];
  if (wanted === "submount") return hintsForSubmount(isAnyUnasked);
  if (wanted === "store")
    return [byHand("attach the disk"), inBootLoader("correct rd.overlay= or rd.union="), BOOT_WITHOUT_STORE];
  const correct = inBootLoader("correct root= in the boot loader");
  if (isAnyUnasked) {
    return [
      inShell("if the root is in the encrypted device, `levain retry rd.auto` unlocks it"),
      inBootLoader("add rd.auto or correct root= in the boot loader"),
    ];
  }
  if (isAnyDevicePresent) return [correct, inShell("try one with `levain retry root=…`")];
  const attach = facts.known.length > 0 ? [] : [byHand("attach the disk")];
  return [...attach, inShell("see devices without a driver: `levain status`")];
}

/** The device may be named by fstab, which is in the root, or by mount.usr=. */
function hintsForSubmount(isAnyUnasked: boolean): readonly Hint[] {
  const unlock = [
    inShell("if it is in the encrypted device, `levain retry rd.auto` unlocks it"),
    inBootLoader("if it is in the encrypted device, name that with rd.luks.uuid="),
    inBuilder("or in /etc/crypttab of the image, as dracut does with the lines that have x-initrd.attach"),
  ];
  return [byHand("attach the disk"), ...(isAnyUnasked ? unlock : []), ...WITHOUT_FSTAB];
}

/** What stops the search for a device, and what becomes of it. */
export const STORAGE = {
  "device-not-found": diagnosis<VainSearch>({
    text: ({ wanted, name }) => TITLES[wanted](name),
    reasons: (facts) => [...explainMissing(facts), ...explainDriver(facts)],
    hints: hintsForMissing,
  }),
  "ambiguous-device": diagnosis<{ spec: string; nodes: readonly string[] }>({
    text: ({ spec, nodes }) => `${nodes.length} devices in different encrypted volumes match ${spec}`,
    reasons: ({ nodes }) => [`one of ${nodes.join(" and ")} may be a forged copy`],
    hints: () => [
      inBootLoader("name the right volume: rd.luks.name=UUID=NAME root=/dev/mapper/NAME"),
      byHand("remove the other disk"),
    ],
  }),
  "volumes-in-use": diagnosis<{ why: string; names: readonly string[] }>({
    text: ({ why, names }) => `${why}, but ${names.join(" and ")} cannot be closed`,
    hints: () => [inBuilder("put all parts of the root into encrypted volumes, or none of them")],
  }),
  "partly-encrypted": diagnosis<{ outside: readonly string[] }>({
    text: () => "only a part of the root is encrypted",
    reasons: ({ outside }) => [`${outside.join(" and ")} could replace files of the encrypted part`],
    hints: () => [inBuilder("put every image and layer into the encrypted volume, or none of them")],
  }),
};
