import type { BlockDevice } from "../../../devices/block-devices.ts";
import { tolerateRefusal } from "../../../problems/errors.ts";
import type { Assembly, DeviceState, Link, Round, StorageContext, StoragePlan } from "../../contract.ts";
import { findBcacheOn, stopBcache } from "../../device-mapper/bcache.ts";
import { restsOn } from "../../trust.ts";
import { createGrace } from "../grace.ts";
import { listParts } from "../pools.ts";
import { createMembers, describeLack, isAttached, type Member } from "./members.ts";
import { createStarter } from "./start.ts";

type BcachePlan = Pick<StoragePlan, "rootTimeoutMs" | "image" | "isForResume" | "roots">;

/**
 * Registers backing devices of bcache and their caches with the kernel, which then reads the journal of the cache and makes
 * /dev/bcacheN. A backing device whose cache is missing is started without it if the cache holds nothing that is nowhere else.
 * Registering writes to the disks, so a search for a medium, an image on a disk or a hibernated system, which may use them, does it as
 * the last resort.
 */
export function startBcache(context: StorageContext, plan: BcachePlan): Assembly {
  const { machine } = context;
  const { list, cachesOf, isCopy } = createMembers(context);
  const leftOfGrace = createGrace(machine.nowMs, plan);
  const { start, refuse, refused, ours } = createStarter(context);
  const isNamed = plan.roots.some((spec) => spec.by === "path" && spec.path.startsWith("/dev/bcache"));
  let isLate = plan.image === null && (plan.isForResume !== true || isNamed);
  let claimed: readonly BlockDevice[] = [];
  const startedOn = ({ device }: Member) => findBcacheOn(machine, device.name);
  const backings = () => list().filter(({ info }) => info.role === "backing");

  function advanceOne(backing: Member): Round {
    const { info, device } = backing;
    if (isAttached(backing) && isCopy(backing))
      return refuse(backing, "a disk of the machine has the same cache set UUID");
    const caches = isAttached(backing) ? cachesOf(backing) : [];
    if (caches.length > 1)
      return refuse(backing, `${caches.map((cache) => cache.device.node).join(" and ")} have the same cache set UUID`);
    if (!isAttached(backing) || caches.length > 0) return start(backing, caches);
    const leftMs = leftOfGrace(info.set);
    if (leftMs > 0) return { text: `bcache on ${device.node}: ${describeLack(backing)}`, leftMs };
    if (info.state === "clean") return start(backing, []);
    return refuse(backing, `${describeLack(backing)}, and it holds data that are not on ${device.node} yet`);
  }

  return {
    advance(candidate) {
      const members = candidate === null && !isLate ? [] : backings();
      const isNeeded = ({ device }: Member) => candidate === null || device === candidate;
      const rounds = members
        .filter((member) => isNeeded(member) && startedOn(member) === null && !refused.has(member.device))
        .map(advanceOne);
      return rounds.find((round) => round === "changed") ?? rounds.find((round) => round !== "idle") ?? "idle";
    },
    lastResort() {
      isLate = true;
    },
    links: () => backings().flatMap((backing) => linksOf(backing, startedOn(backing), cachesOf(backing))),
    state(device) {
      const member = device.facts.type === "bcache" ? list().find((one) => one.device === device) : undefined;
      return member === undefined ? null : describeState(member, startedOn(member), ours);
    },
    problems: () => [...refused.values()].map((error) => ({ error, isFatal: false })),
    claim(device) {
      claimed = listParts(device, context.present());
    },
    close() {
      for (const name of ours)
        if (!claimed.some(restsOn(machine, [name]))) tolerateRefusal(() => stopBcache(machine, name));
    },
  };
}

function linksOf({ device }: Member, started: string | null, caches: readonly Member[]): readonly Link[] {
  if (started === null) return [];
  const of = caches.map((cache) => cache.device.name);
  return [
    { from: [device.name], to: started, isReplacement: true },
    ...(of.length > 0 ? [{ from: of, to: started, isReplacement: false }] : []),
  ];
}

function describeState(member: Member, started: string | null, ours: readonly string[]): DeviceState {
  if (member.info.role === "cache") return { kind: "open", text: "a cache of bcache", closes: false };
  if (started !== null) return { kind: "open", text: "a backing device of bcache", closes: ours.includes(started) };
  const text = isAttached(member) ? describeLack(member) : "not started";
  return { kind: "incomplete", text: `bcache on ${member.device.node}: ${text}` };
}
