import type { BlockDevice } from "../devices/block-devices.ts";
import type { Context } from "../drivers/context.ts";
import { mountDeviceBriefly } from "../filesystems/brief-mount.ts";
import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import { hasUnreplayedJournal } from "../filesystems/untouched.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { orIfRefused, unlessRefused } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { FileSpec } from "./match.ts";

/** Types that hold no files of their own, so that a mount would be in vain. */
const NO_FILESYSTEM =
  /_member$|^crypto|^swap|^(?:BitLocker|swsuspend|DM_verity_hash|DM_integrity|bcache|drbd|jbd|xfs_external_log)$/;

/** Makes the search by content: each device is mounted at most once a spec, read-only, and unmounted at once. */
export function createContentSearch(context: Context): (device: BlockDevice, spec: FileSpec) => boolean {
  const { machine, voice } = context;
  const known = new WeakMap<BlockDevice, Map<FileSpec, boolean>>();
  return (device, spec) => {
    const answers = known.get(device) ?? new Map<FileSpec, boolean>();
    known.set(device, answers);
    const answer = answers.get(spec) ?? (isAmong(machine, device, spec.among) && holdsFile(device, spec.paths));
    answers.set(spec, answer);
    return answer;
  };

  function holdsFile(device: BlockDevice, paths: readonly string[]): boolean {
    const { type } = device.facts;
    if (type === null || NO_FILESYSTEM.test(type)) return false;
    const hasFile = (directory: string) => {
      const found = paths.find((path) => matchFiles(machine, directory, path).length > 0);
      if (found !== undefined) voice.debug(`${device.node} has ${printable(found)}`);
      else if (hasUnreplayedJournal(machine, device.node, type)) {
        voice.debug(`${device.node} was not unmounted, a file that was written last may be missing`);
      }
      return found !== undefined;
    };
    return unlessRefused(
      () => mountDeviceBriefly(context, { node: device.node, type }, hasFile),
      (refusal) => {
        voice.debug(`${device.node} cannot be searched: ${refusal.message}`);
        return false;
      },
    );
  }
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
function isAmong(machine: Machine, device: BlockDevice, among: FileSpec["among"]): boolean {
  if (among === "all") return true;
  const directory = `/sys/class/block/${device.partition?.disk ?? device.name}`;
  return orIfRefused(() => {
    const isUsb = /\/usb\d+\//.test(machine.readLink(directory));
    return among === "usb" ? isUsb : readText(machine, `${directory}/removable`) === "1";
  }, false);
}
