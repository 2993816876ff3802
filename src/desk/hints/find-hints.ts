import { closeSync, openSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { findMount, type MountEntry, parseMountInfo } from "../../filesystems/mounts.ts";
import type { ByteSource } from "../../formats/facts.ts";
import { readLuksHeader } from "../../formats/luks/read-header.ts";
import { probe } from "../../formats/probe.ts";
import { hideSecrets } from "../../parameters/secrets.ts";
import { BootError } from "../../problems/errors.ts";
import { OWN_ARCHITECTURE } from "../qemu/machines.ts";
import { findCards, findKeyboards, findLinks, findScreens, findUsb } from "./consoles.ts";
import { driversTo } from "./device-path.ts";
import { findFilesystems, type MountedFilesystem, mountOfImage } from "./mount-devices.ts";
import type { Disk, Hints } from "./schema.ts";
import { findCrypttab, findKeymap, findParameters, findResume, isEarly, readTable, TREE_TYPES } from "./settings.ts";
import { type SystemFiles, systemFiles } from "./system-files.ts";
import { walkStack } from "./volumes.ts";

/** Finds what a boot of the system at `root` needs. Throws BootError if its root device is not visible. */
export function findHints(root = "/", machine: string = OWN_ARCHITECTURE): Hints {
  const files = systemFiles(root);
  const look = <T>(device: string, read: (source: ByteSource) => T) => lookAt(files, root, device, read);
  const mounts = parseMountInfo(files.text("/proc/self/mountinfo"));
  const table = readTable(files);
  const rootMount = findMount(mounts, "/");
  const early = table.filter(isEarly).flatMap(({ target }) => findMount(mounts, target) ?? []);
  const filesystems = [...(rootMount === null ? [] : [rootMount]), ...early].flatMap((mount) =>
    findFilesystems(files, mounts, mount),
  );
  const rootDevices = filesystems.find(({ path }) => path === "/")?.devices ?? [];
  const resume = deviceOfNumber(files, findResume(files)?.number ?? "");
  const devices = [...filesystems.flatMap((filesystem) => filesystem.devices), ...(resume ?? [])];
  const stack = walkStack({ files, mounts, cipherOn: (name) => look(name, readCipher) }, devices);
  const media = stack.volumes.flatMap(({ device, kind }) =>
    kind === "loop" ? mountOfImage(files, mounts, device) : [],
  );
  const all = [...media.flatMap((mount) => findFilesystems(files, mounts, mount)), ...filesystems];
  if (rootMount === null || !isReachable(rootMount, all, stack.disks)) throw noRoot(rootMount);
  return {
    version: 1,
    kernel: files.text("/proc/sys/kernel/osrelease"),
    machine,
    cpu: readCpu(files.text("/proc/cpuinfo")),
    cmdline: hideSecrets(files.text("/proc/cmdline")),
    filesystems: all.map((filesystem) => ({
      ...filesystem,
      isChecked: table.some(({ target, isChecked }) => target === filesystem.path && isChecked),
    })),
    volumes: [...stack.volumes],
    disks: [...stack.disks, ...transportsOf(files, filesystems)],
    usb: findUsb(files),
    keyboards: findKeyboards(files),
    screens: findScreens(files),
    cards: findCards(files),
    links: findLinks(files),
    modules: files
      .text("/proc/modules")
      .split("\n")
      .flatMap((line) => line.split(" ")[0] || []),
    keymap: findKeymap(files),
    crypttab: [...findCrypttab(files, stack.volumes)],
    parameters: [
      ...findParameters(files, rootMount, { root: rootDevices, resume: resume?.[0] ?? null }, (name) =>
        look(name, (source) => probe(source).uuid),
      ),
    ],
  };
}

/** Whether the root has a disk, or needs none. */
function isReachable(root: MountEntry, filesystems: readonly MountedFilesystem[], disks: readonly Disk[]): boolean {
  return (
    disks.length > 0 || filesystems.some(({ type }) => TREE_TYPES.includes(type)) || TREE_TYPES.includes(root.type)
  );
}

function noRoot(root: MountEntry | null): BootError {
  const why =
    root === null ? "nothing is mounted at /" : `/ is ${root.type} of ${root.source}, which leads to no block device`;
  return new BootError("cannot find the root device of this system", {
    cause: new BootError(why),
    hint: "run levain host on the machine itself, outside of containers, and build with levain image --host=HINTS.json",
  });
}

function deviceOfNumber(files: SystemFiles, number: string): readonly [string] | null {
  const directory = number === "" ? null : files.real(join("/sys/dev/block", number));
  return directory === null ? null : [basename(directory)];
}

/** The devices of virtio by which a virtual machine has a directory of its host. */
const TRANSPORTS: Readonly<Record<string, string>> = { virtiofs: "virtiofs", "9p": "9pnet_virtio" };

function transportsOf(files: SystemFiles, filesystems: readonly MountedFilesystem[]): readonly Disk[] {
  return filesystems.flatMap(({ type }) => {
    const place = join("/sys/bus/virtio/drivers", TRANSPORTS[type] ?? "");
    const names = type in TRANSPORTS ? files.list(place).filter((name) => /^virtio\d+$/.test(name)) : [];
    const found = names.map((name) => [name, files.real(join(place, name))] as const);
    return found.flatMap(([name, directory]) =>
      directory === null ? [] : [{ name, drivers: driversTo(files, directory), server: null }],
    );
  });
}

function readCpu(text: string): Hints["cpu"] {
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1] ?? "";
  const [family, model, stepping] = ["cpu family", "model", "stepping"].map((name) => Number(field(name)) || 0);
  return { vendor: field("vendor_id"), family: family ?? 0, model: model ?? 0, stepping: stepping ?? 0 };
}

/** Without the cipher, an image gets all of them. */
const readCipher = (source: ByteSource) => readLuksHeader(source).segments[0]?.crypt?.cipher ?? null;

/** Returns what `read` finds on a device, which only root can read; null if it cannot be read. */
function lookAt<T>(files: SystemFiles, root: string, device: string, read: (source: ByteSource) => T): T | null {
  try {
    const file = openSync(join(root, "dev", device.replaceAll("!", "/")), "r");
    try {
      return read(sourceOf(file, Number(files.text(join("/sys/class/block", device, "size"))) * 512));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

function sourceOf(file: number, size: number): ByteSource {
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  };
  return { size, read };
}
