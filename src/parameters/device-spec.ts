import { decodeText } from "../formats/text.ts";
import { normalisePath } from "./parse.ts";

/** A block device by its own name: what it holds (LABEL=, UUID=, …), its path, or its number. */
type OwnSpec =
  | { readonly by: "path"; readonly path: string }
  | { readonly by: "label" | "uuid" | "partlabel"; readonly value: string }
  | { readonly by: "partuuid"; readonly value: string /** /PARTNROFF=n */; readonly partitionOffset: number }
  | { readonly by: "number"; readonly major: number; readonly minor: number }
  /** The LUKS volumes whose UUID begins like this, in lower case. */
  | { readonly by: "luks"; readonly prefix: string };

/** How a block device is named: by its own name, or by what is beside it or on it. */
export type DeviceSpec =
  | OwnSpec
  /** Partition number `index` of the disk that has `of`. */
  | { readonly by: "sibling"; readonly index: number; readonly of: OwnSpec }
  /**
   * The root partition of the Discoverable Partitions Specification: of GPT type `type`, on the disk of the EFI system
   * partition with the PARTUUID `esp`; null if no boot loader reported it, and then no device matches.
   */
  | { readonly by: "discoverable"; readonly esp: string | null; readonly type: string }
  /**
   * The first device with a filesystem that holds one of these files, or directories where a path ends in a slash; a
   * "*" in the last part of a path stands for any text. `among` restricts the search to removable disks, or to those on USB.
   */
  | {
      readonly by: "file";
      readonly paths: readonly string[];
      readonly among: "all" | "removable" | "usb";
      /** The filesystem has this UUID, or one of its files `paths` contains it; left out: any filesystem. */
      readonly mark?: { readonly uuid: string; readonly paths: readonly string[] };
    };

/** A spec that names files on a device. */
export type FileSpec = Extract<DeviceSpec, { by: "file" }>;

/** The forms that `parseDeviceSpec` accepts, for "Expected …". */
export const DEVICE_SPEC_FORMS =
  "a device (/dev/…, LABEL=, UUID=, PARTUUID=, PARTLABEL=, SIBLING=n:DEVICE or major:minor)";

/** How a device's name may begin, if it has a value of its own: what a misspelled one may be meant for. */
export const DEVICE_TAGS = ["LABEL=", "UUID=", "PARTUUID=", "PARTLABEL=", "SIBLING="] as const;

/**
 * Parses the value of `root=`, `rootfallback=` and `root=live:`; null for any other text. The forms are SIBLING=, those
 * of init/do_mounts.c (`name_to_dev_t`; block/early-lookup.c since 6.5), and LABEL= and UUID= as in mount(8), in upper
 * or lower case, the value in quotes or not. udev's links below /dev/disk are read as the tags that they stand for,
 * because an initramfs without udev has no such links.
 */
export function parseDeviceSpec(text: string): DeviceSpec | null {
  const sibling = /^SIBLING=(\d{1,3}):(.*)$/is.exec(text);
  if (sibling === null) return parseOwnSpec(text);
  const [index, of] = [Number(sibling[1]), parseOwnSpec(sibling[2] ?? "")];
  return index === 0 || of === null ? null : { by: "sibling", index, of };
}

function parseOwnSpec(text: string): OwnSpec | null {
  const tag = /^(LABEL|UUID|PARTUUID|PARTLABEL)=(.*)$/is.exec(text);
  if (tag !== null) return tagged(tag[1]?.toLowerCase() ?? "", decodeUdevName(unquote(tag[2] ?? "")));
  const link = /^\/dev\/disk\/by-(label|uuid|partuuid|partlabel)\/([^/]+)$/.exec(text);
  if (link !== null) return tagged(link[1] ?? "", decodeUdevName(link[2] ?? ""));
  if (text.startsWith("/dev/")) return devicePath(text);
  return byNumber(text);
}

/** Formats a spec as on the command line, or in words if the command line has no form for it. */
export function formatDeviceSpec(spec: DeviceSpec): string {
  if (spec.by === "path") return spec.path;
  if (spec.by === "number") return `${spec.major}:${spec.minor}`;
  if (spec.by === "sibling") return `SIBLING=${spec.index}:${formatDeviceSpec(spec.of)}`;
  if (spec.by === "luks") return `UUID=${spec.prefix}…`;
  if (spec.by === "discoverable") return "gpt-auto";
  if (spec.by === "file") return `a device with ${spec.paths[0]}${spec.paths.length > 1 ? " or a similar file" : ""}`;
  const offset = spec.by === "partuuid" && spec.partitionOffset !== 0 ? `/PARTNROFF=${spec.partitionOffset}` : "";
  return `${spec.by.toUpperCase()}=${spec.value}${offset}`;
}

function tagged(by: string, value: string): OwnSpec | null {
  if (value === "") return null;
  if (by === "label" || by === "uuid" || by === "partlabel") return { by, value };
  // The kernel reads the offset by sscanf("PARTNROFF=%d"): it may be negative.
  const partuuid = /^([0-9a-f-]+)(?:\/PARTNROFF=([+-]?\d{1,4}))?$/i.exec(value);
  if (by !== "partuuid" || partuuid === null) return null;
  return { by, value: partuuid[1] ?? "", partitionOffset: Number(partuuid[2] ?? 0) + 0 };
}

/** Returns null for a path that leads out of /dev or to a directory. */
function devicePath(text: string): OwnSpec | null {
  const path = text.endsWith("/") ? null : normalisePath(text);
  return path === null || path === "/dev" ? null : { by: "path", path };
}

/**
 * "8:1" and the kernel's hexadecimal dev_t: "0801", "801", "0x801", in the layout of `new_decode_dev` (linux/kdev_t.h).
 */
function byNumber(text: string): OwnSpec | null {
  const pair = /^(\d{1,4}):(\d{1,7})$/.exec(text);
  if (pair !== null) return deviceNumber(Number(pair[1]), Number(pair[2]));
  if (!/^(?:0x)?[0-9a-f]{1,8}$/i.test(text)) return null;
  const device = Number.parseInt(text, 16);
  return deviceNumber((device >>> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xfff00));
}

/** Within the 12 and 20 bits of a dev_t, and not 0:0, which is no device. */
function deviceNumber(major: number, minor: number): OwnSpec | null {
  const fits = major < 1 << 12 && minor < 1 << 20 && major + minor > 0;
  return fits ? { by: "number", major, minor } : null;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** Decodes udev's escapes in a name of /dev/disk/by-*: `\x20` is a space (`encode_devnode_name` of systemd). */
export function decodeUdevName(name: string): string {
  if (!name.includes("\\x")) return name;
  const bytes: number[] = [];
  const escaped = /\\x([0-9a-fA-F]{2})|([^\\]+|\\)/g;
  for (const [, hex, plain] of name.matchAll(escaped)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else for (const byte of new TextEncoder().encode(plain)) bytes.push(byte);
  }
  return decodeText(Uint8Array.from(bytes));
}
