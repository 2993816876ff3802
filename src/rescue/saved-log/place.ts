import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import { filesystemLoader } from "../../drivers/loader.ts";
import { readBootedEsp } from "../../filesystems/active-esp.ts";
import { mountDeviceBriefly } from "../../filesystems/brief-mount.ts";
import { readMounts } from "../../filesystems/mounts.ts";
import { CHILD_COMMANDS } from "../../machine/child-commands.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import type { LogSpec } from "../../parameters/stack/log-place.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { matchNamed, readDevicesFor } from "../../storage/named/named-device.ts";
import { isInUse } from "../../storage/resume/guard.ts";
import { specText } from "../../storage/search-words.ts";
import { liesOnStick } from "../../storage/trust.ts";
import { decodeJson, encodeJson, type LogAnswer, type LogOrder } from "./order.ts";

/** The filesystem for the logs of boots that failed, unless rd.log.save= names another. */
const LABELLED: LogSpec = { device: { by: "label", value: "LEVAIN-LOG" }, path: null, text: "LABEL=LEVAIN-LOG" };
/** How long writing may take: the failure policy waits for it. */
const WRITE_MS = 20_000;
/** What a log leaves free: for directories and tables of the filesystem, and on an ESP for the next kernel. */
const SPARE_BYTES = 64 << 10;
const SPARE_ON_ESP_BYTES = 16 << 20;
const DIRECTORY_ON_ESP = "/levain";
/** The types that a stick for logs has, with their options: few drivers read what anyone may have made, and none stops the kernel at an error. Nothing there may lead elsewhere or run. */
const EXT = "nosuid,nodev,noexec,nosymfollow,errors=continue";
const FAT = "nosuid,nodev,noexec,nosymfollow";
const OPTIONS: Readonly<Record<string, string>> = { vfat: FAT, exfat: FAT, ext2: EXT, ext3: EXT, ext4: EXT };
/** What may hold a hibernated system, also in a volume that is closed. */
const MAY_HIBERNATE = ["swsuspend", "crypto_LUKS", "LVM2_member", "linux_raid_member", "bcache"];

/** Where logs are saved, on the device. */
export interface LogPlace {
  readonly device: BlockDevice;
  readonly path: string | null;
  readonly spareBytes: number;
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
  return readDevicesFor(machine, log === null || log === false ? null : log.device);
}

/**
 * Returns where logs are saved: on the device that was named, else on the one with the label, else on the ESP that this machine was
 * booted from; null if there is none. With a locked shell only a device that was named counts: anyone can plug in a label. Throws
 * BootError if nothing may be written there.
 */
export function findLogPlace(
  { machine, voice }: LogContext,
  { log, shell }: LogWish,
  devices: readonly BlockDevice[],
): LogPlace | null {
  if (log === false || (log === null && (shell === false || shell === "ask"))) return null;
  const spec = log ?? LABELLED;
  const found = matchNamed(machine, spec.device, devices);
  const [device] = found;
  if (device === undefined) return log === null ? findEsp(machine, voice, devices) : null;
  if (found.length > 1)
    throw problem("log-ambiguous", { spec: specText(spec.device), nodes: found.map(({ node }) => node) });
  const why = findObjection(machine, device, devices);
  if (why !== null) throw problem("log-in-use", { device: describeDevice(device), why });
  return { device, path: spec.path, spareBytes: SPARE_BYTES };
}

/**
 * Returns where a boot that succeeds looks for a log: on the device that was named, else on the one with the label, if that is part of the
 * machine, as a good boot mounts no stick that anyone has plugged in. The ESP is left out: the firmware would have to be asked for it.
 * `devices`: what the boot has read anyway. Throws BootError.
 */
export function findEarlierLog(context: LogContext, wish: LogWish, devices: readonly BlockDevice[]): LogPlace | null {
  if (wish.log !== null) return findLogPlace(context, wish, devices);
  const labelled = matchNamed(context.machine, LABELLED.device, devices);
  const own = labelled.filter(({ name }) => !liesOnStick(context.machine, name));
  const others = devices.filter((device) => !labelled.includes(device));
  return own.length === 0 ? null : findLogPlace(context, wish, [...own, ...others]);
}

/** The ESP may lie on the disk of the root: only this one, by what the firmware says, and never one of a stick with the same PARTUUID. */
function findEsp(machine: Machine, voice: Voice, devices: readonly BlockDevice[]): LogPlace | null {
  const value = readBootedEsp(machine, voice);
  if (value === null) return null;
  const [device, ...others] = matchNamed(machine, { by: "partuuid", value, partitionOffset: 0 }, devices);
  const isUsable = device?.facts.type === "vfat" && others.length === 0;
  if (!isUsable || findObjection(machine, device, devices) !== null) return null;
  return { device, path: DIRECTORY_ON_ESP, spareBytes: SPARE_ON_ESP_BYTES };
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

/** Mounts the device read-only while `use` looks at it: nothing is written, and a disk that does not answer ends the look. Throws SyscallError. */
export function lookBriefly<T>(
  context: LogContext,
  { device: { node, facts } }: LogPlace,
  use: (directory: string, patient: Machine) => T,
): T {
  const { machine, voice, modules } = context;
  return mountDeviceBriefly(
    { machine, drivers: filesystemLoader(machine, voice, modules?.()) },
    { node, type: facts.type ?? "" },
    use,
  );
}

/** Writes to the filesystem, in a process of its own; all of it is on the disk afterwards. Returns the name of the file. Throws BootError, SyscallError. */
export function writeLog(context: LogContext, place: LogPlace, log: LogOrder["log"]): string {
  const { device, path, spareBytes } = place;
  const { node, facts, unreadable } = device;
  // A disk that does not answer is noticed here; and this loads the driver.
  lookBriefly(context, place, (directory, patient) => patient.lstat(`${directory}/levain`));
  const options = OPTIONS[facts.type ?? ""] ?? FAT;
  const name = describeDevice(device);
  const child = context.machine.startChild(CHILD_COMMANDS.save);
  try {
    child.order(encodeJson({ device: { node, facts, unreadable }, options, path, log, spareBytes, name }));
    const news = child.answer(WRITE_MS);
    if (news.kind !== "answer") throw problem("log-not-written", { device: name, isLate: news.kind === "busy" });
    const answer: LogAnswer = decodeJson(news.bytes);
    if ("why" in answer) throw new BootError(answer.why);
    return answer.file;
  } finally {
    child.stop();
  }
}
