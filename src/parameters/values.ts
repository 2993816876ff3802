import * as v from "valibot";
import { DEVICE_SPEC_FORMS, type DeviceSpec, parseDeviceSpec } from "./device-spec.ts";
import type { LayerPlan, OverlayPlan } from "./layer.ts";
import { STEP_NAMES, type StepName } from "./step-names.ts";

/*
 * The kinds of values that parameters have. Every message is what was expected, to be read after "Expected":
 * one place (read-parameters.ts) makes the sentence.
 */

const TRUE = /^(?:1|y|yes|on|true)$/i;
const FALSE = /^(?:0|n|no|off|false)$/i;

/** True and false as the kernel, dracut and systemd spell them; null for anything else. */
export function readFlag(text: string): boolean | null {
  if (TRUE.test(text)) return true;
  return FALSE.test(text) ? false : null;
}

/** A schema from a reader that answers null to what it does not take. */
function read<T>(expected: string, reader: (text: string) => T | null) {
  return v.pipe(
    v.string(expected),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const output = reader(dataset.value);
      if (output !== null) return output;
      addIssue({ message: expected });
      return NEVER;
    }),
  );
}

/** Yes or no. */
export const flag = read("yes or no (1 or 0)", readFlag);
/** The same, or "keep". */
export const flagOrKeep = read("yes, no or keep", (text): boolean | "keep" | null =>
  text === "keep" ? text : readFlag(text),
);

/** Anything. */
export const text = v.string("text");

/** The longest wait that poll(2) can be told in milliseconds. */
const MAX_SECONDS = 2_147_483;

/** Seconds as milliseconds; 0 is null, for ever. */
export const waitingTimeMs = v.pipe(
  v.string(),
  v.regex(/^\d{1,10}(?:\.\d{1,3})?$/, "a number of seconds"),
  v.transform(Number),
  v.maxValue(MAX_SECONDS, `at most ${MAX_SECONDS} seconds`),
  v.transform((seconds) => (seconds === 0 ? null : Math.round(seconds * 1000))),
);

/** panic= as the kernel means it: 0 is no reboot (null), below 0 at once (0). */
export const panicSeconds = v.pipe(
  v.string(),
  v.regex(/^[+-]?\d{1,10}$/, "a number of seconds"),
  v.transform(Number),
  v.maxValue(MAX_SECONDS, `at most ${MAX_SECONDS} seconds`),
  v.transform((seconds) => (seconds === 0 ? null : Math.max(0, seconds))),
);

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(words: T) => v.picklist(words, words.join(", "));

/** Without empty and "." parts, with a slash in front; ".." would lead out of the filesystem the path is meant for. */
function readPath(text: string): string | null {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 || parts.includes("..") ? null : `/${parts.join("/")}`;
}

/** A path below a mount point: "/newroot.sfs"; a slash in front may be missing. */
export const filePath = read('the path of a file, without ".."', readPath);

/** Such a path, or nothing: a boot menu may leave the value empty. */
export const filePathOrNothing = read('the path of a file, without ".."', (text) =>
  text === "" ? "" : readPath(text),
);

/** A name that a file can have. */
export const fileName = v.pipe(v.string(), v.regex(/^[^/]+$/, "a name without a slash"));

/** A path of the new root that is taken as it is; it may lead through symbolic links and "..". */
export const absolutePath = v.pipe(v.string(), v.startsWith("/", "an absolute path"));

function readNames(text: string): readonly string[] | null {
  const names = text.split(",").filter((name) => name !== "");
  return names.every((name) => /^[\w.-]+$/.test(name)) ? names : null;
}

/** Names of modules or filesystem types, separated by commas. */
export const names = read("names separated by commas", readNames);

/** Filesystem types; "auto" is what the probe does anyway. */
export const filesystemTypes = v.pipe(
  names,
  v.transform((types) => types.filter((type) => type !== "auto")),
);

/** What tmpfs takes as size= (mm/shmem.c): bytes with a suffix of memparse, or per cent of the memory. */
const SIZE = /^\d{1,19}[kmgtpe%]?$/i;
/** A size of a tmpfs, as it is. */
export const size = v.pipe(v.string(), v.regex(SIZE, "a size (100M, 2G, 50%)"));

/** An overlay, or false for none; a size of its own, or null. */
export const overlay = read("tmpfs, tmpfs:size=SIZE, yes or no", (text): OverlayPlan | false | null => {
  const asked = readFlag(text);
  if (asked !== null) return asked ? { kind: "tmpfs", size: null } : false;
  const form = /^tmpfs(?::size=(.*))?$/.exec(text);
  if (form === null || (form[1] !== undefined && !SIZE.test(form[1]))) return null;
  return { kind: "tmpfs", size: form[1] ?? null };
});

/**
 * root=: `device` is null for /dev/ram0, the initramfs itself, and "auto" for what the GPT tells; `isLive` where an image
 * on the device is the root.
 */
export interface RootSetting {
  readonly device: DeviceSpec | "auto" | null;
  readonly isLive: boolean;
}

/** Where other programs find a root on the network: root=nfs:…, root=live:http://…, root=dhcp, the kernel's root=/dev/nfs. */
const ON_THE_NETWORK = /^(?:live:)?(?:(?:nfs4?|nbd|aoe|iscsi|cifs|https?|ftp|tftp|torrent)(?::|$)|dhcp6?$|\/dev\/nfs$)/;

/** A device, with dracut's live: or block: in front, systemd's gpt-auto, or /dev/ram0. */
const localRoot = read(`${DEVICE_SPEC_FORMS}, live:DEVICE, gpt-auto or /dev/ram0`, (text): RootSetting | null => {
  if (text === "/dev/ram0" || text === "/dev/ram") return { device: null, isLive: false };
  if (text === "gpt-auto" || text === "gpt-auto-force") return { device: "auto", isLive: false };
  const isLive = text.startsWith("live:");
  // dracut's spellings: block: says what is assumed anyway, and CDLABEL= is an old name of LABEL=.
  const spec = text.replace(/^(?:live|block):/, "").replace(/^CDLABEL=/, "LABEL=");
  const device = parseDeviceSpec(spec);
  return device === null ? null : { device, isLive };
});

/** The same, or in words why it is none. */
export const root = v.pipe(
  v.string(),
  v.check(
    (text) => !ON_THE_NETWORK.test(text),
    "a device of this machine, for a root on the network is not supported yet,",
  ),
  localRoot,
);

/** One device. */
export const device = read(DEVICE_SPEC_FORMS, parseDeviceSpec);

/** live-media=: a device, or a word for those that are searched. */
export const liveMedia = read(`${DEVICE_SPEC_FORMS}, removable or removable-usb`, (text) => {
  if (text === "removable") return "removable" as const;
  return text === "removable-usb" ? ("usb" as const) : parseDeviceSpec(text);
});

/** rd.layer=: a device where it looks like one, else the path of an image; as a list of one. */
export const layers = read('a device, or the path of an image without ".."', (text): readonly LayerPlan[] | null => {
  const spec = /^\/dev\/|^[A-Z]+=/.test(text) ? parseDeviceSpec(text) : null;
  const path = /^\/dev\/|^[A-Z]+=/.test(text) ? null : readPath(text);
  if (spec !== null) return [{ kind: "device", device: spec }];
  return path === null ? null : [{ kind: "image", path }];
});

/** One device, as a list of one. */
export const deviceSpecs = read(DEVICE_SPEC_FORMS, (text) => {
  const spec = parseDeviceSpec(text);
  return spec === null ? null : [spec];
});

/** Where dracut's and initramfs-tools' breakpoints are in our order of steps. */
const STEP_ALIASES: Readonly<Record<string, StepName>> = {
  cmdline: "prepare",
  top: "prepare",
  "pre-udev": "modules",
  "pre-trigger": "modules",
  initqueue: "root",
  premount: "root",
  "pre-mount": "mount",
  mountroot: "mount",
  postmount: "init",
  bottom: "init",
  "pre-pivot": "handover",
  cleanup: "handover",
};

/** Names of steps, ours or those of dracut and initramfs-tools, separated by commas. */
export const steps = read(`a step (${STEP_NAMES.join(", ")})`, (text) => {
  const found: StepName[] = [];
  for (const word of text.split(",")) {
    const step =
      STEP_NAMES.find((name) => name === word) ?? (Object.hasOwn(STEP_ALIASES, word) ? STEP_ALIASES[word] : null);
    if (step === null || step === undefined) return null;
    found.push(step);
  }
  return found;
});

/** Words separated by white space. */
export const argumentList = v.pipe(
  v.string(),
  v.transform((text) => text.split(/\s+/).filter((word) => word !== "")),
);
