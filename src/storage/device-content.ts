import { type BlockDevice, readText } from "../devices/block-devices.ts";
import { mountDeviceBriefly } from "../filesystems/brief-mount.ts";
import type { FilesystemDrivers } from "../filesystems/mount.ts";
import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import { isErrno } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import type { FileSpec } from "./match.ts";

/** What holds no files of its own: there is no use in trying to mount it. */
const NO_FILESYSTEM =
  /_member$|^crypto|^swap|^(?:BitLocker|swsuspend|DM_verity_hash|DM_integrity|bcache|drbd|jbd|xfs_external_log)$/;

/** Makes the search by content: each device is mounted at most once a spec, read-only, and let go at once. */
export function createContentSearch(
  machine: Machine,
  modules: FilesystemDrivers["drivers"],
  voice: Voice,
): (device: BlockDevice, spec: FileSpec) => boolean {
  const known = new WeakMap<BlockDevice, Map<FileSpec, boolean>>();
  return (device, spec) => {
    const answers = known.get(device) ?? new Map<FileSpec, boolean>();
    known.set(device, answers);
    const answer =
      answers.get(spec) ?? (isAmong(machine, device, spec.among) && holdsFile(machine, device, spec.paths));
    answers.set(spec, answer);
    return answer;
  };

  function holdsFile(host: Machine, device: BlockDevice, paths: readonly string[]): boolean {
    const { type } = device.facts;
    if (type === null || NO_FILESYSTEM.test(type)) return false;
    try {
      return mountDeviceBriefly({ machine: host, drivers: modules }, { node: device.node, type }, (directory) => {
        const found = paths.find((path) => matchFiles(host, directory, path).length > 0);
        if (found !== undefined) voice.debug(`${device.node} has ${printable(found)}`);
        return found !== undefined;
      });
    } catch (error) {
      if (!isErrno(error)) throw error;
      voice.debug(`${device.node} cannot be searched: ${error.message}`);
      return false;
    }
  }
}

/** Files below `base` that `path` means, or directories where it ends in a slash, a "*" in its last part standing for any text: paths as `path` has them, without that slash, sorted bytewise. */
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

/** What sysfs says of the disk: whether its medium can be taken out, and whether it hangs on USB. */
function isAmong(machine: Machine, device: BlockDevice, among: FileSpec["among"]): boolean {
  if (among === "all") return true;
  const directory = `/sys/class/block/${device.partition?.disk ?? device.name}`;
  try {
    const isUsb = /\/usb\d+\//.test(machine.readLink(directory));
    return among === "usb" ? isUsb : readText(machine, `${directory}/removable`) === "1";
  } catch (error) {
    if (isErrno(error)) return false;
    throw error;
  }
}
