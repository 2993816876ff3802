import { type BlockDevice, describeDevice, listBlockDeviceNames, namePartition } from "../../devices/block-devices.ts";
import { listLinks } from "../../devices/persistent-names.ts";
import { readBlockDevices } from "../../devices/read-devices.ts";
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
import { isInUse } from "../../storage/resume/guard.ts";
import { specText } from "../../storage/search-words.ts";

/** The filesystem for the logs of boots that failed, unless rd.log.save= names another. */
const LABELLED: LogSpec = { device: { by: "label", value: "LEVAIN-LOG" }, path: null, text: "LABEL=LEVAIN-LOG" };
const PLACE = "/run/levain/saved-log";
/** The types that a stick for logs has, with their options: few drivers read what anyone may have made, and none stops the kernel at an error. Nothing there may lead elsewhere or run. */
const EXT = "nosuid,nodev,noexec,nosymfollow,errors=continue";
const FAT = "nosuid,nodev,noexec,nosymfollow";
const OPTIONS: Readonly<Record<string, string>> = { vfat: FAT, exfat: FAT, ext2: EXT, ext3: EXT, ext4: EXT };
/** What may hold a hibernated system, also in a volume that is closed. */
const MAY_HIBERNATE = ["swsuspend", "crypto_LUKS", "LVM2_member", "linux_raid_member", "bcache"];
/** How long a device that was named is waited for: its driver may have been loaded just now. */
const PATIENCE_MS = 5000;
const LOOK_MS = 250;

/** Where logs are saved, on the device. */
export interface LogPlace {
  readonly device: BlockDevice;
  readonly path: string | null;
}

/** What the plan says about logs. */
export type LogWish = Pick<BootPlan["rescue"], "log" | "shell">;

/** What is needed to write to a place. */
export interface LogContext {
  readonly machine: Machine;
  readonly voice: Voice;
  /** Which drivers may be loaded. */
  readonly modules?: () => BootPlan["modules"];
}

/** Reads what the devices hold; waits for one that was named. */
export function readDevices(machine: Machine, { log }: LogWish): readonly BlockDevice[] {
  const endMs = machine.nowMs() + PATIENCE_MS;
  for (;;) {
    const { devices } = readBlockDevices(machine, listBlockDeviceNames(machine));
    const isThere = log === null || log === false || match(machine, log, devices).length > 0;
    if (isThere || machine.nowMs() >= endMs) return devices;
    machine.sleepMs(LOOK_MS);
  }
}

/** Returns where logs are saved; null if no such device is present. With a locked shell only a device that was named counts: anyone can plug in a label. Throws BootError if nothing may be written there. */
export function findLogPlace(
  machine: Machine,
  { log, shell }: LogWish,
  devices: readonly BlockDevice[],
): LogPlace | null {
  if (log === false || (log === null && (shell === false || shell === "ask"))) return null;
  const spec = log ?? LABELLED;
  const found = match(machine, spec, devices);
  const [device] = found;
  if (device === undefined) return null;
  if (found.length > 1)
    throw problem("log-ambiguous", { spec: specText(spec.device), nodes: found.map(({ node }) => node) });
  const why = findObjection(machine, device, devices);
  if (why !== null) throw problem("log-in-use", { device: describeDevice(device), why });
  return { device, path: spec.path };
}

function match(machine: Machine, { device: spec }: LogSpec, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  return matchDevices(spec, devices, {
    name: (device) => namePartition(machine, device),
    links: (device) => listLinks(machine, device),
    holds: () => false,
  });
}

/** Why nothing may be written to the device; null if it may. */
function findObjection(machine: Machine, device: BlockDevice, devices: readonly BlockDevice[]): string | null {
  if (OPTIONS[device.facts.type ?? ""] === undefined) return "it is not vfat, exfat or ext4";
  const isMounted = readMounts(machine).some(
    ({ source }) => source.startsWith("/") && machine.stat(source)?.represents === device.number,
  );
  if (isMounted) return "it is mounted";
  if (listOrNone(machine, `/sys/class/block/${device.name}/holders`).length > 0) return "it is part of another device";
  const other = devices.find(({ facts }) => MAY_HIBERNATE.includes(facts.type ?? ""));
  if (other === undefined || !isInUse(machine, device)) return null;
  return `it was not unmounted, and ${other.node} may hold a hibernated system that uses it`;
}

const driversFor = ({ machine, voice, modules }: LogContext) => filesystemLoader(machine, voice, modules?.());

/** Mounts the device read-only while `use` looks at it: nothing is written, and a disk that does not answer ends the look. Throws SyscallError. */
export function lookBriefly<T>(
  context: LogContext,
  { device: { node, facts } }: LogPlace,
  use: (directory: string, patient: Machine) => T,
): T {
  const { machine } = context;
  return mountDeviceBriefly({ machine, drivers: driversFor(context) }, { node, type: facts.type ?? "" }, use);
}

/** Mounts the device while `use` writes to the directory; all of it is on the disk afterwards. Throws BootError, SyscallError. */
export function withLogPlace<T>(context: LogContext, place: LogPlace, use: (directory: string) => T): T {
  const { machine, voice } = context;
  const { device, path } = place;
  // A stick that does not answer must not keep the failure policy waiting: this look gives up.
  lookBriefly(context, place, (directory, patient) => patient.lstat(`${directory}/levain`));
  const undone: (() => void)[] = [];
  const undo = (act: () => void) => void undone.push(act);
  const options = OPTIONS[device.facts.type ?? ""] ?? FAT;
  mountDevice(
    { machine, voice, drivers: driversFor(context), undo },
    { device, target: PLACE, types: [], access: "writable", options, role: "store" },
  );
  try {
    const result = use(path === null ? PLACE : makeDirectoryIn(machine, PLACE, path));
    machine.syncFilesystem(PLACE);
    return result;
  } finally {
    for (const act of undone.reverse()) act();
  }
}
