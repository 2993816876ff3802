import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { orIfRefused } from "../problems/errors.ts";
import type { BlockDevice } from "./block-devices.ts";
import { type AttributeReader, listBusPaths } from "./bus-paths.ts";
import { ataIdentity, scsiIdentity } from "./scsi-identity.ts";

/**
 * Returns true if udev may have made the link `path` for a device of this name: hundreds of disks need not be asked for their serial numbers if
 * a path names a volume. /dev/GROUP/VOLUME of LVM looks like the node of a disk with a slash in its name.
 */
export function mayHaveLink({ name }: Pick<BlockDevice, "name">, path: string): boolean {
  if (/^\/dev\/disk\/by-(?:id|path)\//.test(path)) return true;
  if (/^\/dev\/bcache\/by-(?:uuid|label)\//.test(path)) return name.startsWith("bcache");
  return /^(?:dm-|md)/.test(name) && /^\/dev\/(?:(?:mapper|md)\/|(?!disk\/)[\w+.-]+\/[\w+.-]+$)/.test(path);
}

/** Splits the name of a volume's device (dm_split_lvm_name of lvm2); null for a device below one, or of another kind. */
export function splitVolumeName(name: string): { readonly group: string; readonly volume: string } | null {
  const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name) ?? [];
  if (group === undefined || volume === undefined) return null;
  return { group: group.replaceAll("--", "-"), volume: volume.replaceAll("--", "-") };
}

/** What lvm2 names the parts of a volume, as 11-dm-lvm.rules knows them: they may show the same filesystem as the volume. */
const PARTS =
  /_(?:rimage|rmeta|mimage)_\d+(?:_extracted)?$|_(?:mlog|tmeta|tdata|cmeta|cdata|cvol|corig|wcorig|vdata|vpool|pmspare|vorigin)$/;

/** True for a device that only LVM uses: a part of a volume, or a layer below it. */
export function isPartOfVolume(machine: Machine, { name }: Pick<BlockDevice, "name">): boolean {
  if (!name.startsWith("dm-")) return false;
  const read = createReader(machine, `/sys/class/block/${name}/dm`);
  const [own, uuid] = [read.text("name") ?? "", read.text("uuid") ?? ""];
  return uuid.startsWith("LVM-") && (/^LVM-[^-]+-/.test(uuid) || PARTS.test(own));
}

/** Lists the links that udev would make for the device in /dev/disk/by-id, by-path (60-persistent-storage.rules of systemd 252), /dev/mapper and /dev/md, from sysfs. */
export function listLinks(machine: Machine, device: BlockDevice): readonly string[] {
  // A mapped partition is a device of its own.
  const partition = device.name.startsWith("dm-") ? null : device.partition;
  const disk = partition?.disk ?? device.name;
  const part = partition === null ? "" : `-part${partition.index}`;
  const read = createReader(machine, `/sys/class/block/${disk}`);
  const devicePath = read.link("");
  const ids = [...identities(disk, devicePath, read)].map((id) => `/dev/disk/by-id/${replace(id)}${part}`);
  const paths = listBusPaths(disk, devicePath, read).map((path) => `/dev/disk/by-path/${path}${part}`);
  const mapped = read.text("dm/name");
  const names =
    mapped === null ? [] : [`/dev/mapper/${mapped}`, ...listVolumeLinks(mapped, read.text("dm/uuid") ?? "")];
  const cached = partition === null && disk.startsWith("bcache") ? listBcacheLinks(read) : [];
  return [...ids, ...paths, ...names, ...cached, ...listArrayLinks(machine, disk, partition?.index)];
}

function listVolumeLinks(mapped: string, uuid: string): readonly string[] {
  const name = /^LVM-[^-]+$/.test(uuid) ? splitVolumeName(mapped) : null;
  return name === null ? [] : [`/dev/${name.group}/${name.volume}`];
}

/** The links of bcache-tools (69-bcache.rules), by what the superblock of the backing device says. */
function listBcacheLinks(read: AttributeReader): readonly string[] {
  const [uuid, label] = [read.text("bcache/backing_dev_uuid"), read.text("bcache/label")];
  return [
    ...(uuid === null ? [] : [`/dev/bcache/by-uuid/${uuid}`]),
    ...(label === null ? [] : [`/dev/bcache/by-label/${replace(label)}`]),
  ];
}

/** The links to an array in /dev/md, which exist: its name is on its members only. */
function listArrayLinks(machine: Machine, disk: string, partition?: number): readonly string[] {
  if (!/^md\d+$/.test(disk)) return [];
  const links = orIfRefused(() => machine.listDirectory("/dev/md"), []).map((name) => `/dev/md/${name}`);
  const own = links.filter((link) => orIfRefused(() => machine.readLink(link), "") === `../${disk}`);
  return partition === undefined ? own : own.map((link) => `${link}${/\d$/.test(link) ? "p" : ""}${partition}`);
}

function createReader(machine: Machine, directory: string): AttributeReader {
  // Most devices have few of the attributes, and some return EINVAL or EIO.
  return {
    text: (path) => orIfRefused(() => readText(machine, `${directory}/${path}`), "") || null,
    bytes: (path) => orIfRefused(() => machine.readFile(`${directory}/${path}`), null),
    names: (path) => orIfRefused(() => machine.listDirectory(`${directory}/${path}`), []),
    link: (path) => orIfRefused(() => machine.readLink(path === "" ? directory : `${directory}/${path}`), ""),
  };
}

/** The names of a disk below by-id/. */
function* identities(disk: string, devicePath: string, read: AttributeReader): Generator<string> {
  const [serial, wwid] = [read.text("serial"), read.text("wwid")];
  if (/^vd/.test(disk) && serial !== null) yield `virtio-${serial}`;
  if (/^nvme/.test(disk)) {
    if (wwid !== null) yield `nvme-${wwid}`;
    const name = join(read.text("device/model"), read.text("device/serial"));
    if (name !== null) yield* [`nvme-${name}`, `nvme-${name}_${read.text("nsid")}`];
  }
  if (/^mmcblk/.test(disk)) {
    const name = join(read.text("device/name"), read.text("device/serial"));
    if (name !== null) yield `mmc-${name}`;
  }
  if (/^(sd|sr)/.test(disk)) yield* scsiIdentities(devicePath, read);
  const [mapped, uuid] = [read.text("dm/name"), read.text("dm/uuid")];
  if (mapped !== null) yield `dm-name-${mapped}`;
  if (uuid !== null) yield `dm-uuid-${uuid}`;
}

function* scsiIdentities(devicePath: string, read: AttributeReader): Generator<string> {
  const wwid = /^naa\.([0-9a-f]+)$/.exec(read.text("device/wwid") ?? "")?.[1];
  if (wwid !== undefined) yield `wwn-0x${wwid}`;
  const vendor = read.text("device/vendor") ?? "";
  const model = read.text("device/model") ?? "";
  const usb = usbSerial(devicePath, read);
  if (usb !== null) {
    const [, target, unit] = /\d+:\d+:(\d+):(\d+)\/block\//.exec(devicePath) ?? [];
    const parts = [vendor, model, usb].map((part) => part.trim()).filter((part) => part !== "");
    yield `usb-${parts.join("_")}-${target}:${unit}`;
  } else if (isAta(read)) {
    const identity = readAtaIdentity(read);
    if (identity !== null) yield `ata-${identity}`;
  } else {
    const identity = scsiIdentity(read.bytes("device/vpd_pg83") ?? new Uint8Array(), vendor, model);
    if (identity !== null) yield `scsi-${identity}`;
  }
}

const isAta = (read: AttributeReader) => read.text("device/vendor")?.trim() === "ATA";
const readAtaIdentity = (read: AttributeReader) => ataIdentity(read.bytes("device/vpd_pg89") ?? new Uint8Array());

/** Returns udev's ID_SERIAL of an ATA disk, which has model and serial number, "" if it cannot be read; null for any other disk. */
export function readAtaSerial(machine: Machine, disk: string): string | null {
  const read = createReader(machine, `/sys/class/block/${disk}`);
  return isAta(read) ? replace(readAtaIdentity(read) ?? "") : null;
}

/** The serial number of the USB device of a disk, "" if it has none; null if the disk is not on USB. */
function usbSerial(devicePath: string, read: AttributeReader): string | null {
  const parts = devicePath.split("/");
  const at = parts.findLastIndex((part) => /^\d+-[\d.]+:\d+\.\d+$/.test(part));
  if (at < 0) return null;
  return read.text(`${"../".repeat(parts.length - at)}serial`) ?? "";
}

function join(model: string | null, serial: string | null): string | null {
  return model === null || serial === null ? null : `${model.trim()}_${serial.trim()}`;
}

/** As util_replace_whitespace and udev_replace_chars: characters that udev does not allow in a name become "_". */
function replace(text: string): string {
  const words = text.trim().replace(/\s+/g, "_");
  return words.replace(/[^\w#+\-.:=@\u0080-\u{10ffff}]/gu, "_");
}
