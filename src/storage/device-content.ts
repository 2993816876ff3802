import type { BlockDevice } from "../devices/block-devices.ts";
import { SLOW_MS } from "../devices/device-probe.ts";
import type { Context } from "../drivers/context.ts";
import { mountDeviceBriefly, type PendingMount } from "../filesystems/brief-mount.ts";
import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import { hasUnreplayedJournal } from "../filesystems/untouched.ts";
import { describeNoFilesystem } from "../formats/contents.ts";
import { driversOf } from "../formats/filesystems/filesystem-types.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import type { FileSpec } from "../parameters/device-spec.ts";
import { isErrno, orIfRefused, type SyscallError, unlessRefused } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";

/** Why a device could not be searched for a file. */
interface Unsearched {
  /** A clause. */
  readonly why: string;
  /** What the kernel would call the driver that it lacks, the likeliest first. */
  readonly drivers: readonly string[];
}

interface ContentSearch {
  holds(device: BlockDevice, spec: FileSpec): boolean;
  /** null if the device was searched, or did not have to be. */
  obstacle(device: BlockDevice): Unsearched | null;
  /** Leaves the disks that have not answered. */
  close(): void;
}

/** Makes the search by content: each device is mounted at most once a spec, read-only, and unmounted at once. A disk that takes longer than a second holds up no other: it is looked at again when it has answered. */
export function createContentSearch(context: Context): ContentSearch {
  const { machine, voice } = context;
  const known = new WeakMap<BlockDevice, Map<FileSpec, boolean>>();
  const obstacles = new WeakMap<BlockDevice, Unsearched>();
  const pending = new Map<BlockDevice, PendingMount>();
  return {
    holds(device, spec) {
      const answers = known.get(device) ?? new Map<FileSpec, boolean>();
      known.set(device, answers);
      const answer = answers.get(spec) ?? (isAmong(machine, device, spec.among) && holdsFile(device, spec));
      if (!pending.has(device)) answers.set(spec, answer);
      return answer;
    },
    obstacle: (device) => obstacles.get(device) ?? null,
    close() {
      for (const { apart, release } of pending.values()) apart?.close(release);
      pending.clear();
    },
  };

  function holdsFile(device: BlockDevice, { paths, mark }: FileSpec): boolean {
    const { type } = device.facts;
    if (type === null || describeNoFilesystem(type) !== null) return false;
    const hasFile = (directory: string, files: Machine) => {
      const found = paths.find((path) => matchFiles(files, directory, path).length > 0);
      if (found !== undefined && mark !== undefined && !hasMark(files, device, directory, mark)) {
        voice.debug(`${device.node} has ${printable(found)}, and is not the medium ${printable(mark.uuid)}`);
        return false;
      }
      if (found !== undefined) voice.debug(`${device.node} has ${printable(found)}`);
      else if (hasUnreplayedJournal(files, device.node, type)) {
        voice.debug(`${device.node} was not unmounted, a file that was written last may be missing`);
      }
      return found !== undefined;
    };
    const known = pending.get(device);
    const slot: PendingMount = known ?? { apart: null, release: () => undefined };
    const what = { node: device.node, type, timeoutMs: known === undefined ? SLOW_MS : 0, pending: slot };
    const found = unlessRefused(
      () => {
        const isThere = mountDeviceBriefly(context, what, hasFile);
        obstacles.delete(device);
        return isThere;
      },
      (refusal) => {
        obstacles.set(device, explain(context, type, refusal));
        voice.debug(`${device.node} cannot be searched: ${refusal.message}`);
        return false;
      },
    );
    if (slot.apart === null) pending.delete(device);
    else pending.set(device, slot);
    if (slot.apart !== null && known === undefined) {
      voice.progress(`${device.node} has not been searched within a second: the boot continues meanwhile`);
    }
    return found;
  }
}

/** The longest text that is read from a file of a device that is only searched. */
const MOST_MARK_BYTES = 256;

/** True if the filesystem has the UUID of the mark, or one of the files contains it. */
function hasMark(
  machine: Machine,
  { facts }: BlockDevice,
  directory: string,
  { uuid, paths }: NonNullable<FileSpec["mark"]>,
): boolean {
  if (facts.uuid?.toLowerCase() === uuid.toLowerCase()) return true;
  const files = paths.flatMap((path) => matchFiles(machine, directory, path));
  return files.some((path) => {
    const file = findFileIn(machine, directory, path);
    const isShort = file !== null && (machine.stat(file)?.size ?? 0) <= MOST_MARK_BYTES;
    return isShort && readText(machine, file) === uuid;
  });
}

function explain({ drivers }: Context, type: string, refusal: SyscallError): Unsearched {
  if (isErrno(refusal, "ETIMEDOUT")) return { why: "it has not answered yet", drivers: [] };
  if (!isErrno(refusal, "ENODEV")) return { why: describeRefusal(refusal), drivers: [] };
  const names = driversOf(type);
  const isIt = (name: string, alias: string | null) => names.includes(name) || alias === `fs_${type}`;
  const block = drivers.blocked().find(({ module, alias }) => isIt(module, alias));
  if (block !== undefined) return { why: `its driver ${block.module} is on a blacklist: ${block.by}`, drivers: [] };
  return { why: `this kernel has no driver for ${type}, or the image lacks it`, drivers: names };
}

/** Returns the files below `base` that `path` means, or directories if it ends in a slash; a "*" in its last part stands for any text. The results are spelled as `path`, without that slash, in bytewise order. */
export function matchFiles(machine: Machine, base: string, path: string): readonly string[] {
  const find = path.endsWith("/") ? findDirectoryIn : findFileIn;
  const whole = path.replace(/\/$/, "");
  const slash = whole.lastIndexOf("/");
  const [directory, pattern] = [whole.slice(0, slash), whole.slice(slash + 1)];
  const isFile = (name: string) => find(machine, base, `${directory}/${name}`) !== null;
  if (!pattern.includes("*")) return isFile(pattern) ? [whole] : [];
  const real = findDirectoryIn(machine, base, directory);
  if (real === null) return [];
  const [head = "", tail = ""] = pattern.split("*", 2);
  return machine
    .listDirectory(real)
    .filter((name) => name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail))
    .filter(isFile)
    .map((name) => `${directory}/${name}`);
}

/** True if the disk is of that kind, as sysfs has it: its medium can be removed, or it is attached by USB. */
export function isAmong(machine: Machine, device: BlockDevice, among: FileSpec["among"]): boolean {
  if (among === "all") return true;
  const directory = `/sys/class/block/${device.partition?.disk ?? device.name}`;
  return orIfRefused(() => {
    const isUsb = /\/usb\d+\//.test(machine.readLink(directory));
    return among === "usb" ? isUsb : readText(machine, `${directory}/removable`) === "1";
  }, false);
}
