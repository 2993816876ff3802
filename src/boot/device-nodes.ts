import { parseProperties } from "../devices/block-devices.ts";
import { takeQueuedEvents } from "../devices/device-events.ts";
import { findMount, readMounts } from "../filesystems/mounts.ts";
import { type MdevConfig, type MdevDevice, type NodePlan, parseMdevConfig, planNode } from "../formats/mdev.ts";
import type { DeviceEvent, Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { orIfRefused, tolerateRefusal } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";

const CONFIG = "/etc/mdev.conf";

/**
 * Returns the machine with a /dev that levain keeps if the kernel cannot (CONFIG_DEVTMPFS=n): as with devtmpfs, a node
 * exists before its uevent is seen, and goes with its device; owner and mode are those of /etc/mdev.conf. On a kernel
 * with devtmpfs this does nothing.
 */
export function keepDeviceNodes(machine: Machine, voice: Voice): Machine {
  const queue: DeviceEvent[] = [];
  let config: MdevConfig | null = null;
  let isKept = false;

  function start(): void {
    if (config !== null) return;
    config = readConfig(machine);
    isKept = findMount(readMounts(machine), "/dev")?.type !== "devtmpfs";
    if (!isKept) return;
    for (const problem of config.problems) voice.warn(`${CONFIG}: ${printable(problem)}`);
    makeAllNodes(machine, config);
  }

  function hear(event: DeviceEvent | null): DeviceEvent | null {
    if (!isKept || event === null || config === null) return event;
    if (event.action === "overflow") makeAllNodes(machine, config);
    else followEvent(machine, config, event);
    return event;
  }

  /** After a driver is loaded its node may be opened at once, before its uevent is handled. */
  function settle(): void {
    if (!isKept) return;
    for (const event of takeQueuedEvents(machine)) {
      hear(event);
      queue.push(event);
    }
  }

  return {
    ...machine,
    listenForDevices() {
      machine.listenForDevices();
      start();
    },
    nextDeviceEvent: (timeoutMs) => queue.shift() ?? hear(machine.nextDeviceEvent(timeoutMs)),
    waitForNetwork(sockets, timeoutMs) {
      if (queue.length === 0) machine.waitForNetwork(sockets, timeoutMs);
    },
    readTerminals(timeoutMs, until = "anything") {
      return until === "anything" && queue.length > 0 ? { kind: "device" } : machine.readTerminals(timeoutMs, until);
    },
    startModule(...given) {
      const pending = machine.startModule(...given);
      return {
        isDone(timeoutMs) {
          const isDone = pending.isDone(timeoutMs);
          settle();
          return isDone;
        },
      };
    },
    moveMount(from, to) {
      if (from === "/dev") settle();
      machine.moveMount(from, to);
      if (from === "/dev") isKept = false;
      else if (to === "/dev") isKept = findMount(readMounts(machine), "/dev")?.type !== "devtmpfs";
    },
    handOver(handover) {
      settle();
      return machine.handOver(handover);
    },
  };
}

function readConfig(machine: Machine): MdevConfig {
  if (machine.stat(CONFIG) === null) return { rules: [], problems: [] };
  const ids = { users: readIds(machine, "/etc/passwd"), groups: readIds(machine, "/etc/group") };
  return parseMdevConfig(readText(machine, CONFIG), ids);
}

/** Reads the names and ids of passwd(5) or group(5), which have them in the same fields. */
function readIds(machine: Machine, path: string): ReadonlyMap<string, number> {
  const lines = machine.stat(path) === null ? [] : readText(machine, path).split("\n");
  const ids = lines.map((line) => line.split(":")).map(([name = "", , id]) => [name, Number(id)] as const);
  return new Map([["root", 0], ...ids.filter(([name, id]) => name !== "" && Number.isInteger(id))]);
}

function makeAllNodes(machine: Machine, config: MdevConfig): void {
  for (const kind of ["char", "block"]) {
    const directory = `/sys/dev/${kind}`;
    if (machine.stat(directory) === null) continue;
    for (const number of machine.listDirectory(directory)) {
      const device = readDevice(machine, `${directory}/${number}`);
      if (device !== null) makeNode(machine, kind === "block" ? "block" : "character", device, config);
    }
  }
}

/** Returns null if it was removed meanwhile. */
function readDevice(machine: Machine, path: string): MdevDevice | null {
  return orIfRefused(() => {
    const properties = parseProperties(readText(machine, `${path}/uevent`));
    const subsystem = machine.lstat(`${path}/subsystem`) === null ? "" : machine.readLink(`${path}/subsystem`);
    return toDevice(machine.readLink(path), { SUBSYSTEM: lastWord(subsystem), ...properties });
  }, null);
}

/** Returns null for what has no node: buses, drivers, network interfaces. */
function toDevice(path: string, properties: Readonly<Record<string, string>>): MdevDevice | null {
  const [major, minor] = [Number(properties["MAJOR"]), Number(properties["MINOR"])];
  const kernelName = lastWord(path).replaceAll("!", "/");
  const name = properties["DEVNAME"] ?? kernelName;
  const isPlain = name.split("/").every((word) => word !== "" && word !== "." && word !== "..");
  if (!Number.isInteger(major) || !Number.isInteger(minor) || !isPlain) return null;
  return { name, kernelName, major, minor, properties };
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function followEvent(machine: Machine, config: MdevConfig, event: DeviceEvent): void {
  const device = toDevice(event.devpath, event.properties);
  if (device === null) return;
  const kind = event.subsystem === "block" ? "block" : "character";
  if (event.action === "add") makeNode(machine, kind, device, config);
  else if (event.action === "remove") removeNode(machine, device, config);
}

/** Makes a node; if it cannot be made, the code that needs it reports that. */
function makeNode(machine: Machine, kind: "block" | "character", device: MdevDevice, config: MdevConfig): void {
  const plan = planNode(config.rules, device);
  if (plan === null) return;
  tolerateRefusal(() => {
    putNode(machine, kind, device, plan);
    if (plan.userId !== 0 || plan.groupId !== 0) machine.changeOwner(plan.path, plan.userId, plan.groupId);
    if (plan.link !== null) linkTo(machine, plan.path, plan.link);
  });
}

/** Makes a node unless it is right already: stage0 has made some. */
function putNode(machine: Machine, kind: "block" | "character", { major, minor }: MdevDevice, plan: NodePlan): void {
  const there = machine.lstat(plan.path);
  if (there?.kind === kind && there.represents === `${major}:${minor}` && there.mode === plan.mode) return;
  if (there !== null) machine.removeFile(plan.path);
  machine.makeDirectory(plan.path.slice(0, plan.path.lastIndexOf("/")));
  machine.makeNode(plan.path, kind, major, minor, plan.mode);
}

function linkTo(machine: Machine, path: string, link: string): void {
  if (machine.lstat(link) !== null) machine.removeFile(link);
  machine.makeDirectory(link.slice(0, link.lastIndexOf("/")));
  machine.makeSymlink(path, link);
}

function removeNode(machine: Machine, device: MdevDevice, config: MdevConfig): void {
  const plan = planNode(config.rules, device);
  for (const path of [plan?.link, plan?.path ?? `/dev/${device.name}`]) {
    const there = path == null ? null : machine.lstat(path);
    const isIts = there?.kind === "symlink" || there?.represents === `${device.major}:${device.minor}`;
    if (path != null && isIts) tolerateRefusal(() => machine.removeFile(path));
  }
}
