import { basename, dirname, join } from "node:path";
import type { MountEntry } from "../../filesystems/mounts.ts";
import { driversTo } from "./device-path.ts";
import { devicesOfMount, mountOfImage } from "./mount-devices.ts";
import type { Disk, Volume } from "./schema.ts";
import type { SystemFiles } from "./system-files.ts";

/** The beginnings of the UUIDs of device mapper, as cryptsetup, lvm2 and multipath-tools give them. */
const KINDS: readonly (readonly [pattern: RegExp, kind: Volume["kind"]])[] = [
  [/^CRYPT-LUKS\d-/, "luks"],
  [/^CRYPT-PLAIN-/, "plain"],
  [/^CRYPT-INTEGRITY-/, "integrity"],
  [/^CRYPT-VERITY-/, "verity"],
  [/^LVM-/, "lvm"],
  [/^mpath-/, "multipath"],
];

/** What a device is made of, down to the disks. */
export interface Stack {
  readonly volumes: readonly Volume[];
  readonly disks: readonly Disk[];
}

/** What a walk through a stack needs. */
export interface StackReader {
  readonly files: SystemFiles;
  readonly mounts: readonly MountEntry[];
  /** Returns the cipher of a LUKS header on a device; null if it cannot be read. */
  readonly cipherOn: (device: string) => string | null;
}

/** Walks from these devices (names in /sys/class/block) down to their disks. Devices that do not exist are left out. */
export function walkStack(reader: StackReader, devices: readonly string[]): Stack {
  const { files } = reader;
  const volumes = new Map<string, Volume>();
  const disks = new Map<string, Disk>();
  const seen = new Set<string>();
  for (const device of devices) visit(device);
  return { volumes: [...volumes.values()], disks: [...disks.values()] };

  function visit(device: string): void {
    const directory = files.real(join("/sys/class/block", device));
    if (directory === null || seen.has(device)) return;
    seen.add(device);
    if (files.text(join(directory, "partition")) !== "") {
      visit(basename(dirname(directory)));
      return;
    }
    const volume = volumeAt(reader, device, directory);
    if (volume === null) disks.set(device, diskAt(files, device, directory));
    for (const below of volume?.on ?? []) visit(below);
    if (volume !== null) volumes.set(device, volume);
  }
}

function volumeAt({ files, mounts, cipherOn }: StackReader, device: string, directory: string): Volume | null {
  if (files.text(join(directory, "loop/backing_file")) !== "") {
    const on = mountOfImage(files, mounts, device).flatMap((mount) => devicesOfMount(files, mount));
    return { device, name: null, kind: "loop", on, detail: null };
  }
  const on = files.list(join(directory, "slaves"));
  const level = files.text(join(directory, "md/level"));
  if (level !== "") return { device, name: null, kind: "md", on, detail: level };
  const uuid = files.text(join(directory, "dm/uuid"));
  const name = files.text(join(directory, "dm/name")) || null;
  if (name === null && on.length === 0) return null;
  const byUuid = KINDS.find(([pattern]) => pattern.test(uuid))?.[1];
  const kind = byUuid ?? (device.startsWith("bcache") ? "bcache" : "mapping");
  return { device, name, kind, on, detail: kind === "luks" ? cipherOn(on[0] ?? "") : null };
}

function diskAt(files: SystemFiles, name: string, directory: string): Disk {
  const drivers = driversTo(files, directory);
  return { name, drivers, server: serverOf(files, name, directory) };
}

function serverOf(files: SystemFiles, name: string, directory: string): Disk["server"] {
  if (/^nbd\d/.test(name)) return "nbd";
  if (name.startsWith("etherd!")) return "aoe";
  // Of a SCSI host that a session of iSCSI has made (drivers/scsi/scsi_transport_iscsi.c).
  if (/\/session\d+\/target/.test(directory)) return "iscsi";
  const [, fabric = ""] = /^(.*\/(?:nvme-fabrics\/ctl|nvme-subsystem)\/[^/]+)/.exec(directory) ?? [];
  const controllers = ["", ...files.list(fabric).filter((each) => /^nvme\d+$/.test(each))];
  const isRemote = fabric !== "" && controllers.some((each) => files.text(join(fabric, each, "transport")) === "tcp");
  return isRemote ? "nvme-tcp" : null;
}
