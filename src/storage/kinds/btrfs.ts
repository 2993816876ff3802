import type { BlockDevice } from "../../devices/block-devices.ts";
import { type BtrfsMember, readBtrfsMember } from "../../formats/btrfs-member.ts";
import type { Machine } from "../../machine/machine.ts";
import { isErrno } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";

/** What a btrfs needs of the module loader: its driver is asked, before anything is mounted, which devices are still missing. */
export interface FilesystemByType {
  loadFilesystem(type: string): void;
}

/** The btrfs filesystems of several devices, whose first device is not enough to mount them. */
export interface BtrfsPools {
  /** The devices without those that belong to the filesystem of one before them. */
  oneOfEach(devices: readonly BlockDevice[]): readonly BlockDevice[];
  /** `2 of 3 devices of btrfs "pool" are there: …` as long as it cannot be mounted; null where it can, and for all other types. `all` is every device of the machine. */
  describeLack(device: BlockDevice, all: Iterable<BlockDevice>): string | null;
  /** Makes sure that a mount of `device` uses none but `parts`: the kernel joins every device that it has seen with the same UUID, and reads the newest superblock of them. */
  claim(device: BlockDevice, parts: Iterable<BlockDevice>): void;
}

/** Makes the devices of a wanted btrfs known to the kernel as they come; `isDegraded`: the person said to mount it with what is there. */
export function createBtrfsPools(machine: Machine, modules: FilesystemByType, isDegraded: boolean): BtrfsPools {
  const members = new WeakMap<BlockDevice, BtrfsMember | null>();
  const answers = new WeakMap<BlockDevice, Answer>();

  function memberOf(device: BlockDevice): BtrfsMember | null {
    const known = members.get(device);
    if (known !== undefined) return known;
    const member = device.facts.type === "btrfs" ? readMember(machine, device.node) : null;
    members.set(device, member);
    return member;
  }

  function isPool(device: BlockDevice): boolean {
    return (memberOf(device)?.deviceCount ?? 1) > 1;
  }

  function register(device: BlockDevice): Answer {
    const answer = answers.get(device) ?? askKernel(machine, device.node);
    answers.set(device, answer);
    return answer;
  }

  return {
    oneOfEach: (devices) =>
      devices.filter((device, index) => {
        const before = devices.slice(0, index);
        return !isPool(device) || !before.some((other) => isSameFilesystem(device, other));
      }),
    claim(device, parts) {
      if (device.facts.type !== "btrfs") return;
      forget(machine);
      if (isPool(device)) for (const part of parts) if (isSameFilesystem(device, part)) askKernel(machine, part.node);
    },
    describeLack(device, all) {
      if (!isPool(device)) return null;
      modules.loadFilesystem("btrfs");
      const present = [...all].filter((other) => isSameFilesystem(device, other));
      // Every one of them, also after the first yes: those that come late belong to a degraded filesystem too.
      const said = present.map(register);
      const total = memberOf(device)?.deviceCount ?? 0;
      // The kernel still counts one that was pulled out again.
      const isThere = new Set(present.map((one) => memberOf(one)?.deviceId)).size >= total;
      const isComplete = said.includes("unknown") || (said.includes("complete") && isThere);
      return isComplete || isDegraded ? null : describe(device, present, total);
    },
  };
}

/** What the kernel says when it is told of a device: whether it has all of the filesystem. */
type Answer = "complete" | "incomplete" | "unknown";

function isSameFilesystem(one: BlockDevice, other: BlockDevice): boolean {
  return one.facts.type === "btrfs" && other.facts.type === "btrfs" && one.facts.uuid === other.facts.uuid;
}

function describe({ facts }: BlockDevice, present: readonly BlockDevice[], total: number): string {
  const name = printable(facts.label ?? facts.uuid ?? "");
  const verb = present.length === 1 ? "is" : "are";
  const nodes = present.map(({ node }) => node).join(", ");
  return `${present.length} of ${total} devices of btrfs "${name}" ${verb} there: ${nodes}`;
}

/** null where it cannot be read: it went away. */
function readMember(machine: Machine, node: string): BtrfsMember | null {
  try {
    const reader = machine.openReader(node);
    try {
      return readBtrfsMember(reader);
    } finally {
      reader.close();
    }
  } catch (error) {
    if (isErrno(error)) return null;
    throw error;
  }
}

/** A kernel that cannot be asked has seen none, or is older than the request (5.0). */
function forget(machine: Machine): void {
  try {
    machine.forgetBtrfs();
  } catch (error) {
    if (!isErrno(error)) throw error;
  }
}

/** A kernel that cannot be asked has no btrfs, or does not take this one: why, the mount will say. */
function askKernel(machine: Machine, node: string): Answer {
  try {
    return machine.registerBtrfs(node) ? "complete" : "incomplete";
  } catch (error) {
    if (isErrno(error)) return "unknown";
    throw error;
  }
}
