import type { BlockDevice } from "../../../devices/block-devices.ts";
import { type BootError, tolerateRefusal, unlessRefused } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal } from "../../../problems/report.ts";
import type { Round, StorageContext } from "../../contract.ts";
import {
  findBcacheOn,
  hasCacheSet,
  isRegistered,
  listBcachesOf,
  releaseMember,
  stopBcache,
} from "../../device-mapper/bcache.ts";
import { liesOnStick } from "../../trust.ts";
import { describeLack, isAttached, type Member } from "./members.ts";

const REGISTER = "/sys/fs/bcache/register";

/** Starts backing devices, and keeps what one search has started and what could not be. */
export function createStarter(context: StorageContext) {
  const { machine, voice, drivers } = context;
  const refused = new Map<BlockDevice, BootError>();
  const ours: string[] = [];

  function refuse({ device }: Member, why: string): Round {
    refused.set(device, problem("bcache-refused", { node: device.node, why }));
    return "idle";
  }

  function register({ device }: Member): void {
    drivers.loadByName("bcache");
    if (!isRegistered(machine, device.name)) machine.writeFile(REGISTER, `${device.node}\n`);
  }

  /** The kernel attaches a backing device to any set with the UUID: also to that of a stick, which was started when the machine's disks were not there yet. */
  function endForeignSet({ info, device }: Member, caches: readonly Member[]): boolean {
    const isForeign = () =>
      hasCacheSet(machine, info.set) && !caches.some((cache) => isRegistered(machine, cache.device.name));
    if (!isForeign()) return true;
    if (liesOnStick(machine, device.name)) return false;
    for (const name of listBcachesOf(machine, info.set)) if (ours.includes(name)) stopBcache(machine, name);
    return !isForeign();
  }

  function startWith(backing: Member, caches: readonly Member[]): Round {
    const { name: device, node } = backing.device;
    const isAlone = caches.length === 0 && isAttached(backing);
    if (isAttached(backing) && !endForeignSet(backing, caches))
      return refuse(backing, "the kernel uses another device as its cache");
    // The caches first: the kernel starts a backing device that has one when it knows both.
    for (const member of [...caches, backing]) register(member);
    if (isAlone) machine.writeFile(`/sys/class/block/${device}/bcache/running`, "1");
    const name = findBcacheOn(machine, device);
    if (name === null) return refuse(backing, "the kernel did not start it");
    if (isAlone) voice.warn(`${node} is used without its cache: ${describeLack(backing)}`);
    ours.push(name);
    context.undo(() => tolerateRefusal(() => stopBcache(machine, name)));
    context.look(name);
    return "changed";
  }

  return {
    /** Starts a backing device with these caches; without any, one that had a cache goes on without it. */
    start(backing: Member, caches: readonly Member[]): Round {
      context.beforeWriting();
      const others = [...caches, backing].filter(({ device }) => !isRegistered(machine, device.name));
      const round = unlessRefused(
        () => startWith(backing, caches),
        (refusal) => refuse(backing, `the kernel refused it: ${describeRefusal(refusal)}`),
      );
      if (round !== "changed") for (const { device } of others) releaseMember(machine, device.name);
      return round;
    },
    refuse,
    refused,
    /** The kernel's names of what was started. */
    ours,
  };
}
