import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import { type BtrfsMember, readBtrfsMember } from "../../formats/filesystems/btrfs.ts";
import type { Machine } from "../../machine/machine.ts";
import { orIfRefused, tolerateRefusal } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Assembly, StorageContext, StoragePlan } from "../contract.ts";

/** The kernel's reply when a device is registered: whether the filesystem is complete. */
type Reply = "complete" | "incomplete" | "unknown";

/** Completes a btrfs of several devices, which can be mounted when the kernel knows all of them (BTRFS_IOC_DEVICES_READY), or with rootflags=degraded. */
export function startBtrfs(context: StorageContext, { rootOptions }: Pick<StoragePlan, "rootOptions">): Assembly {
  const { machine, drivers } = context;
  const isDegraded = rootOptions.split(",").includes("degraded");
  let isLastResort = false;
  const replies = new WeakMap<BlockDevice, Reply>();
  const lacks = new WeakMap<BlockDevice, string>();
  const members = new WeakMap<BlockDevice, BtrfsMember | null>();

  function memberOf(device: BlockDevice): BtrfsMember | null {
    const known = members.get(device);
    if (known !== undefined) return known;
    // null if it cannot be read: the device is gone.
    const read = () => orIfRefused(() => withReader(machine, device.node, readBtrfsMember), null);
    const member = device.facts.type === "btrfs" ? read() : null;
    members.set(device, member);
    return member;
  }

  const isPool = (device: BlockDevice) => (memberOf(device)?.deviceCount ?? 1) > 1;
  const membersOf = (device: BlockDevice) =>
    context.companions(device).filter((other) => isSameFilesystem(device, other));

  function register(device: BlockDevice): Reply {
    const reply = replies.get(device) ?? askKernel(machine, device.node);
    replies.set(device, reply);
    return reply;
  }

  /** `2 of 3 devices of btrfs "pool" are present: …` until the filesystem can be mounted. */
  function describeLack(device: BlockDevice): string | null {
    drivers.loadFilesystem("btrfs");
    const present = membersOf(device);
    // All of them, also after the first "complete": those that come late belong to a degraded filesystem too.
    const said = present.map(register);
    const total = memberOf(device)?.deviceCount ?? 0;
    // The kernel still counts a device that was unplugged.
    const isPresent = new Set(present.map((one) => memberOf(one)?.deviceId)).size >= total;
    const isComplete = said.includes("unknown") || (said.includes("complete") && isPresent);
    // A member that is only slow must not be left out: it would be written to without it.
    return isComplete || (isDegraded && (isLastResort || context.isSettled()))
      ? null
      : describe(device, present, total);
  }

  return {
    advance(candidate) {
      if (candidate === null || !isPool(candidate)) return "idle";
      const lack = describeLack(candidate);
      if (lack === null) lacks.delete(candidate);
      else lacks.set(candidate, lack);
      return "idle";
    },
    lastResort() {
      isLastResort = true;
    },
    links() {
      const pools = Object.values(Object.groupBy(context.devices().filter(isPool), ({ facts }) => facts.uuid ?? ""));
      return pools.map((pool = []) => ({ from: pool.map(({ name }) => name), to: null, isReplacement: false }));
    },
    state(device) {
      const text = lacks.get(device);
      return text === undefined ? null : { kind: "incomplete", text };
    },
    // The kernel joins every device with the UUID that it has seen, and reads the newest superblock of them.
    claim(device) {
      if (device.facts.type !== "btrfs") return;
      // A kernel that refuses has seen no device, or is older than the request (5.0).
      tolerateRefusal(() => machine.forgetBtrfs());
      if (isPool(device)) for (const part of membersOf(device)) askKernel(machine, part.node);
    },
  };
}

function isSameFilesystem(one: BlockDevice, other: BlockDevice): boolean {
  return one.facts.type === "btrfs" && other.facts.type === "btrfs" && one.facts.uuid === other.facts.uuid;
}

function describe({ facts }: BlockDevice, present: readonly BlockDevice[], total: number): string {
  const name = printable(facts.label ?? facts.uuid ?? "");
  const verb = present.length === 1 ? "is" : "are";
  const nodes = present.map(({ node }) => node).join(", ");
  return `${present.length} of ${total} devices of btrfs "${name}" ${verb} present: ${nodes}`;
}

/** A kernel that refuses has no btrfs, or does not accept this device: the mount will say why. */
function askKernel(machine: Machine, node: string): Reply {
  return orIfRefused(() => (machine.registerBtrfs(node) ? "complete" : "incomplete"), "unknown");
}
