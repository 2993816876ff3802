import { type BlockDevice, describeDevice, namePartition } from "../../devices/block-devices.ts";
import { listLinks } from "../../devices/persistent-names.ts";
import { filesystemLoader } from "../../drivers/loader.ts";
import { mountDeviceBriefly } from "../../filesystems/brief-mount.ts";
import { mountDevice } from "../../filesystems/mount.ts";
import { readMounts } from "../../filesystems/mounts.ts";
import { makeDirectoryIn } from "../../filesystems/resolve.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import type { LogSpec } from "../../parameters/stack/log-place.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { matchDevices } from "../../storage/match.ts";
import { specText } from "../../storage/search-words.ts";

/** The filesystem for the logs of boots that failed, unless rd.log.save= names another. */
const LABELLED: LogSpec = { device: { by: "label", value: "LEVAIN-LOG" }, path: null };
const PLACE = "/run/levain/saved-log";
/** Nothing that the filesystem holds may lead elsewhere or run. */
const OPTIONS = "nosuid,nodev,noexec,nosymfollow";

/** Where logs are saved, on the device. */
export interface LogPlace {
  readonly device: BlockDevice;
  readonly path: string | null;
}

/** What is needed to write to it. */
export type LogContext = { readonly machine: Machine; readonly voice: Voice };

/** Returns where logs are saved; null if no such device is present. Without a shell only a device that was named counts: anyone can plug in a label. Throws BootError if nothing may be written there. */
export function findLogPlace(
  machine: Machine,
  { log, shell }: Pick<BootPlan["rescue"], "log" | "shell">,
  devices: readonly BlockDevice[],
): LogPlace | null {
  if (log === false || (log === null && shell === false)) return null;
  const { device: spec, path } = log ?? LABELLED;
  const look = {
    name: (device: BlockDevice) => namePartition(machine, device),
    links: (device: BlockDevice) => listLinks(machine, device),
    holds: () => false,
  };
  const found = matchDevices(spec, devices, look);
  const [device] = found;
  if (device === undefined) return null;
  if (found.length > 1) throw problem("log-ambiguous", { spec: specText(spec), nodes: found.map(({ node }) => node) });
  const why = findObjection(machine, device, devices);
  if (why !== null) throw problem("log-in-use", { device: describeDevice(device), why });
  return { device, path };
}

/** Why nothing may be written to the device; null if it may. */
function findObjection(
  machine: Machine,
  { name, number }: BlockDevice,
  devices: readonly BlockDevice[],
): string | null {
  const isMounted = readMounts(machine).some(
    ({ source }) => source.startsWith("/") && machine.stat(source)?.represents === number,
  );
  if (isMounted) return "it is mounted";
  if (listOrNone(machine, `/sys/class/block/${name}/holders`).length > 0) return "it is part of another device";
  const hibernated = devices.find(({ facts }) => facts.type === "swsuspend");
  return hibernated === undefined ? null : `${hibernated.node} holds a hibernated system, which may use it`;
}

/** Mounts the device read-only while `use` looks at it: nothing is written, and a disk that does not answer ends the look. Throws SyscallError. */
export function lookBriefly<T>(
  { machine, voice }: LogContext,
  { device }: LogPlace,
  use: (directory: string, patient: Machine) => T,
): T {
  const { node, facts } = device;
  return mountDeviceBriefly(
    { machine, drivers: filesystemLoader(machine, voice) },
    { node, type: facts.type ?? "" },
    use,
  );
}

/** Mounts the device while `use` writes to the directory; all of it is on the disk afterwards. Throws BootError, SyscallError. */
export function withLogPlace<T>(
  { machine, voice }: LogContext,
  { device, path }: LogPlace,
  use: (directory: string) => T,
): T {
  const undone: (() => void)[] = [];
  const context = {
    machine,
    voice,
    drivers: filesystemLoader(machine, voice),
    undo: (act: () => void) => void undone.push(act),
  };
  mountDevice(context, { device, target: PLACE, types: [], access: "writable", options: OPTIONS, role: "store" });
  try {
    const result = use(path === null ? PLACE : makeDirectoryIn(machine, PLACE, path));
    machine.syncFilesystem(PLACE);
    return result;
  } finally {
    for (const act of undone.reverse()) act();
  }
}
