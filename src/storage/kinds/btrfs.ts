import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Machine } from "../../machine/machine.ts";
import { orIfRefused, tolerateRefusal } from "../../problems/errors.ts";
import type { Assembly, StorageContext, StoragePlan } from "../contract.ts";
import { createMembers, type Pool } from "./btrfs-members.ts";
import { describePresent } from "./pools.ts";

/** The kernel's reply when a device is registered: whether the filesystem is complete. */
type Reply = "complete" | "incomplete" | "unknown";

/** Completes a btrfs of several devices, which can be mounted when the kernel knows all of them (BTRFS_IOC_DEVICES_READY), or with rootflags=degraded. */
export function startBtrfs(context: StorageContext, { rootOptions }: Pick<StoragePlan, "rootOptions">): Assembly {
  const { machine, drivers, voice } = context;
  const isDegraded = rootOptions.split(",").includes("degraded");
  let isLastResort = false;
  const replies = new WeakMap<BlockDevice, Reply>();
  const lacks = new WeakMap<BlockDevice, string>();
  const { membersOf, sortOut, isPool, pools } = createMembers(context);

  function register(device: BlockDevice): Reply {
    const reply = replies.get(device) ?? askKernel(machine, device.node);
    replies.set(device, reply);
    return reply;
  }

  /** True if the filesystem can be mounted. */
  function isComplete({ outdated, used, isEnough, isEnoughWithOutdated }: Pool): boolean {
    // All of them, also after the first "complete": those that come late belong to a degraded filesystem too.
    const said = used.map(register);
    const isLate = isLastResort || context.isSettled();
    // A member that is only slow must not be left out: it would be written to without it.
    if (said.includes("unknown") || (isDegraded && isLate)) return true;
    // The kernel still counts a device that was unplugged.
    if (outdated.length === 0) return isEnough && said.includes("complete");
    // The kernel also counts what was removed from the filesystem, so its answer is of no use; and what counts as a member here
    // may be such a device in place of one that is slow.
    return isEnough || (isEnoughWithOutdated && isLate);
  }

  /** `2 of 3 devices of btrfs "pool" are present: …` until the filesystem can be mounted. */
  function describeLack(device: BlockDevice): string | null {
    drivers.loadFilesystem("btrfs");
    const pool = sortOut(membersOf(device));
    return isComplete(pool) ? null : describe(device, pool);
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
    links: () =>
      pools().map(({ current, outdated }) => ({
        from: [...current, ...outdated].map(({ name }) => name),
        to: null,
        isReplacement: false,
      })),
    state(device) {
      const text = lacks.get(device);
      return text === undefined ? null : { kind: "incomplete", text };
    },
    // The kernel joins every device with the UUID that it has seen, and reads the newest superblock of them.
    claim(device) {
      if (device.facts.type !== "btrfs") return;
      // A kernel that refuses has seen no device, or is older than the request (5.0).
      tolerateRefusal(() => machine.forgetBtrfs());
      if (!isPool(device)) return;
      const { used, current, outdated } = sortOut(membersOf(device));
      for (const part of used) askKernel(machine, part.node);
      for (const part of outdated) voice.warn(describeOutdated(part, current, used.includes(part)));
    },
  };
}

function describe(device: BlockDevice, { current, outdated, total, used }: Pool): string {
  const nodes = [...current.map(({ node }) => node), ...outdated.map(({ node }) => `${node} (out of date)`)];
  return describePresent(device, used.length, total, nodes);
}

function describeOutdated({ node }: BlockDevice, current: readonly BlockDevice[], isUsed: boolean): string {
  const others = current.map((other) => other.node).join(" and ");
  const what = isUsed ? "repair it with `btrfs scrub`" : "it is not used";
  return `${node} is out of date: the btrfs on ${others} was written to without it; ${what}`;
}

/** A kernel that refuses has no btrfs, or does not accept this device: the mount will say why. */
function askKernel(machine: Machine, node: string): Reply {
  return orIfRefused(() => (machine.registerBtrfs(node) ? "complete" : "incomplete"), "unknown");
}
