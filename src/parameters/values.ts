import { DEVICE_SPEC_FORMS, DEVICE_TAGS, type DeviceSpec, parseDeviceSpec } from "./device-spec.ts";
import { findForeignOption } from "./mount-options.ts";
import { Expected, matching, normalisePath, parser, parseSeconds, parseWhole } from "./parse.ts";

/** A layer above the image or the root device (rd.layer=): an image file beside the others, or a device of its own. */
export type LayerPlan =
  | { readonly kind: "image"; readonly path: string }
  | { readonly kind: "device"; readonly device: DeviceSpec };

/** The steps of a boot in their order, as rd.break=, /run/levain/boot.json and the console name them. */
export const STEP_NAMES = [
  "prepare",
  "modules",
  "network",
  "resume",
  "root",
  "mount",
  "layers",
  "subtrees",
  "init",
  "handover",
] as const;
/** The name of a step. */
export type StepName = (typeof STEP_NAMES)[number];

/* Parsers for the values of parameters; those of encrypted devices are in crypt/values.ts. */

/** Returns true and false as the kernel, dracut and systemd spell them; null for any other text. */
export function readFlag(text: string): boolean | null {
  if (/^(?:1|y|yes|on|true)$/i.test(text)) return true;
  return /^(?:0|n|no|off|false)$/i.test(text) ? false : null;
}

/** Yes or no. */
export const flag = parser("yes or no (1 or 0)", readFlag);
/** Yes, no, "ask" or "keep". */
export const shell = parser("yes, no, ask or keep", (text) =>
  text === "keep" || text === "ask" ? text : readFlag(text),
);

/** Any text. */
export const text = (value: string): string => value;

/** Seconds as milliseconds; 0 is null, no limit. */
export const waitingTimeMs = (value: string): number | null =>
  Math.round(parseSeconds(value, /^\d{1,10}(?:\.\d{1,3})?$/) * 1000) || null;

/** A number of seconds. */
export const wholeSeconds = (value: string): number => parseSeconds(value, /^\d{1,6}$/);

/** rd.watchdog=: shorter than a wait for a disk that does not answer, it would end a boot that is only slow. */
export const watchdogSeconds = (value: string): number => parseWhole(value, "a number of seconds", 15, 3600);

/** panic= as the kernel reads it: 0 is no reboot (null), a negative number is at once (0). */
export const panicSeconds = (value: string): number | null => {
  const seconds = parseSeconds(value, /^[+-]?\d{1,10}$/);
  return seconds === 0 ? null : Math.max(0, seconds);
};

/** One of a few names. */
export const oneOf = <const T extends string>(...names: readonly T[]) =>
  parser(names.join(", ").replace(/, (\S+)$/, " or $1"), (text) => names.find((name) => name === text) ?? null, names);

/** A path below a mount point: "/newroot.sfs"; the slash in front may be missing. */
export const filePath = parser('the path of a file, without ".."', normalisePath);

/** The path of an image; null for "no". */
export const imagePath = (value: string): string | null => (readFlag(value) === false ? null : filePath(value));

/** The start of an address; false for "no". */
export const helpUrl = parser("an address that begins with http:// or https://, or no", (text) => {
  if (readFlag(text) === false) return false;
  return /^https?:\/\/[!-~]{1,90}$/.test(text) ? text : null;
});

/** The path of a directory: "" for the top of the filesystem, so that a file in it is `${directory}/NAME`. */
export const directoryPath = parser('the path of a directory, without ".."', (text) =>
  /^[/.]*\/[/.]*$|^\.$/.test(text) && !text.includes("..") ? "" : normalisePath(text),
);

/** The path of a layer: with a slash in front from the top of the medium, without one from the directory of the images. */
export const layerPath = (value: string): string => filePath(value).slice(value.startsWith("/") ? 0 : 1);

/** The path of a file, or nothing: a boot menu may leave the value empty. */
export const filePathOrNothing = (value: string): string => (value === "" ? "" : filePath(value));

/** The name of a file. */
export const fileName = matching("a name without a slash", /^[^/]+$/);

/** A path of the new root, used unchanged; it may lead through symbolic links and "..". */
export const absolutePath = matching("an absolute path", /^\//);

/** The directory of the new root for the old one: below these, the filesystems that move into the new root would cover it. */
export const oldRootPath = parser(
  'the path of a directory, without ".." and outside /dev, /proc, /run and /sys',
  (text) => {
    const path = normalisePath(text);
    return path !== null && /^\/(?:dev|proc|run|sys)(?:\/|$)/.test(path) ? null : path;
  },
);

/** Names of modules or filesystem types, separated by commas. */
export const names = parser("names separated by commas", (text) => {
  const all = text.split(",").filter((name) => name !== "");
  return all.every((name) => /^[\w.-]+$/.test(name)) ? all : null;
});

/** Filesystem types, without "auto": the probe is the default. */
export const filesystemTypes = (value: string): readonly string[] => names(value).filter((type) => type !== "auto");

/** rootflags=: options of mount(8), without those that would mount something else. */
export const mountOptions = (value: string): string => {
  const foreign = findForeignOption(value);
  if (foreign !== null) throw new Expected(`options for a mount of the device itself, without ${foreign}`);
  return value;
};

/** What tmpfs takes as size= (mm/shmem.c): bytes with a suffix of memparse, or per cent of the memory. */
export const SIZE = /^\d{1,19}[kmgtpe%]?$/i;
/** The size of a tmpfs, as given. */
export const size = matching("a size (100M, 2G, 50%)", SIZE);

/** One device. */
export const device = parser(DEVICE_SPEC_FORMS, parseDeviceSpec, DEVICE_TAGS);

/** live-media=: a device, or which devices are searched. */
export const liveMedia = parser(
  `${DEVICE_SPEC_FORMS}, removable or removable-usb`,
  (text) => {
    if (text === "removable") return "removable" as const;
    return text === "removable-usb" ? ("usb" as const) : parseDeviceSpec(text);
  },
  ["removable", "removable-usb", ...DEVICE_TAGS],
);

/** rd.layer=: a device if it looks like one, else the path of an image. */
export const layer = parser('a device, or the path of an image without ".."', (text): LayerPlan | null => {
  if (/^\/dev\/|^[A-Z]+=/.test(text)) {
    const found = parseDeviceSpec(text);
    return found && { kind: "device", device: found };
  }
  const path = normalisePath(text);
  return path === null ? null : { kind: "image", path };
});

/** What each step is called in rd.break=: by levain, and by dracut and initramfs-tools. */
const BREAKPOINTS: Readonly<Record<StepName, string>> = {
  prepare: "prepare cmdline top",
  modules: "modules pre-udev pre-trigger",
  network: "network",
  resume: "resume",
  root: "root initqueue premount",
  mount: "mount pre-mount mountroot",
  layers: "layers",
  subtrees: "subtrees",
  init: "init postmount bottom",
  handover: "handover pre-pivot cleanup",
};

/** Names of steps, those of levain or of dracut and initramfs-tools, separated by commas. */
export const steps = parser(
  `a step (${STEP_NAMES.join(", ")})`,
  (text) => {
    const words = text.split(",");
    const found = words.flatMap((word) => STEP_NAMES.find((name) => BREAKPOINTS[name].split(" ").includes(word)) ?? []);
    return found.length === words.length ? found : null;
  },
  Object.values(BREAKPOINTS).flatMap((names) => names.split(" ")),
);

/** Arguments separated by white space. */
export const argumentList = (value: string): readonly string[] => value.split(/\s+/).filter((word) => word !== "");
