import { join } from "node:path";
import { FSTAB, type FstabEntry, hasOption, parseFstab } from "../../filesystems/fstab.ts";
import type { MountEntry } from "../../filesystems/mounts.ts";
import type { Hints, Volume } from "./schema.ts";
import type { SystemFiles } from "./system-files.ts";

/** Types of roots on a server, or on the host of a virtual machine, which need no block device. */
export const TREE_TYPES = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs"];

/** Returns the lines of /etc/fstab. */
export function readTable(files: SystemFiles): readonly FstabEntry[] {
  return parseFstab(files.text(FSTAB));
}

/** Returns true if levain mounts this line before the real init starts (docs/layers.md). */
export function isEarly({ target, options }: FstabEntry): boolean {
  return target === "/usr" || hasOption(options, "x-initrd.mount");
}

/** Returns the keymap of the console: vconsole.conf(5), else keyboard(5) of Debian; null for that of the kernel. */
export function findKeymap(files: SystemFiles): string | null {
  const console = settingsOf(files.text("/etc/vconsole.conf"));
  const keyboard = settingsOf(files.text("/etc/default/keyboard"));
  // Of several layouts the console begins with the first.
  const [layout = "", variant = ""] = ["XKBLAYOUT", "XKBVARIANT"].map((name) => keyboard.get(name)?.split(",")[0]);
  const name = console.get("KEYMAP") ?? (variant === "" ? layout : `${layout}-${variant}`);
  return name === "" || name === "us" || !/^[\w.+-]+$/.test(name) ? null : name;
}

/** Parses NAME=VALUE lines with the quotes of a shell. */
function settingsOf(text: string): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(/^\s*(\w+)=(["']?)([^"'\n]*)\2\s*$/gm)];
  return new Map(lines.map(([, name = "", , value = ""]) => [name, value.trim()]));
}

/** Returns a line of crypttab(5) for each encrypted volume: that of the system if it has one, else by the UUID of the LUKS header. */
export function findCrypttab(files: SystemFiles, volumes: readonly Volume[]): readonly string[] {
  const lines = files
    .text("/etc/crypttab")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return volumes.flatMap(({ device, name, kind }) => {
    if (name === null || (kind !== "luks" && kind !== "plain")) return [];
    const own = lines.find(([first = ""]) => first === name);
    const uuid = files.text(join("/sys/class/block", device, "dm/uuid"));
    const [, ...parts] = /^CRYPT-LUKS\d-(.{8})(.{4})(.{4})(.{4})(.{12})-/.exec(uuid) ?? [];
    if (own !== undefined) return [own.join(" ")];
    return parts.length === 0 || /\s/.test(name) ? [] : [`${name} UUID=${parts.join("-")} none luks`];
  });
}

/** Returns the device that the kernel resumes from, as "major:minor", and the offset of a swap file in pages; null if there is no device. */
export function findResume(files: SystemFiles): { readonly number: string; readonly offset: string } | null {
  const number = files.text("/sys/power/resume");
  return /^\d+:\d+$/.test(number) && number !== "0:0"
    ? { number, offset: files.text("/sys/power/resume_offset") || "0" }
    : null;
}

/** Returns the UUID on a device; null if it has none, or cannot be read. */
type UuidReader = (device: string) => string | null;

/** Returns parameters that find the root and the device for resuming, by names that stay when disks are exchanged. */
export function findParameters(
  files: SystemFiles,
  root: MountEntry,
  devices: { readonly root: readonly string[]; readonly resume: string | null },
  uuidOn: UuidReader,
): Hints["parameters"] {
  const line = readTable(files).find(({ target }) => target === "/");
  const [device = null] = devices.root;
  const byTable = line !== undefined && /^(UUID|PARTUUID|LABEL|PARTLABEL)=/.test(line.source) ? line.source : null;
  const byDevice = device === null ? nfsSource(root) : (byTable ?? nameOf(files, device, uuidOn));
  const isSubvolume = root.type === "btrfs" && root.root !== "/" && !root.root.includes(",");
  const resume = devices.resume === null ? null : nameOf(files, devices.resume, uuidOn);
  const offset = findResume(files)?.offset ?? "0";
  return [
    ...(byDevice === null ? [] : [`root=${byDevice}`]),
    ...(isSubvolume ? [`rootflags=subvol=${root.root.slice(1)}`] : []),
    ...(resume === null ? [] : [`resume=${resume}`, ...(offset === "0" ? [] : [`resume_offset=${offset}`])]),
  ];
}

function nfsSource({ type, source }: MountEntry): string | null {
  return type === "nfs" || type === "nfs4" ? `nfs:${source}` : null;
}

/** Returns a UUID, or the name that device mapper has for a device; null if it has neither. */
function nameOf(files: SystemFiles, device: string, uuidOn: UuidReader): string | null {
  const links = "/dev/disk/by-uuid";
  const node = `/dev/${device.replaceAll("!", "/")}`;
  const linked = files.list(links).find((name) => files.real(join(links, name)) === node);
  const mapped = files.text(join("/sys/class/block", device, "dm/name"));
  if (linked === undefined && mapped !== "") return `/dev/mapper/${mapped}`;
  // Without udev there are no links.
  const uuid = linked ?? uuidOn(device);
  return uuid === null ? null : `UUID=${uuid}`;
}
