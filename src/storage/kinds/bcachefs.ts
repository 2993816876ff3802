import { type BlockDevice, withReader } from "../../devices/block-devices.ts";
import { ofType } from "../../devices/of-type.ts";
import { rememberEach } from "../../devices/remember.ts";
import { type BcachefsMember, readBcachefsMember } from "../../formats/containers/bcachefs.ts";
import { orIfRefused } from "../../problems/errors.ts";
import type { Assembly, StorageContext, StoragePlan } from "../contract.ts";
import { liesOnStick } from "../trust.ts";
import { describePresent } from "./pools.ts";

/** Waits for all devices of a bcachefs, or mounts it with `degraded` of rootflags=. The kernel takes the paths of the devices joined by colons. */
export function startBcachefs(context: StorageContext, { rootOptions }: Pick<StoragePlan, "rootOptions">): Assembly {
  const isDegraded = rootOptions.split(",").some((option) => option === "degraded" || option === "very_degraded");
  const memberOf = rememberEach(({ node }: BlockDevice): BcachefsMember | null =>
    orIfRefused(() => withReader(context.machine, node, readBcachefsMember), null),
  );
  let isLastResort = false;

  const countOf = (members: readonly BlockDevice[]) =>
    Math.max(1, ...members.map((member) => memberOf(member)?.deviceCount ?? 1));

  /** The members among these devices, each once: a copy has the number of another one. A stick adds nothing to what is complete without it. */
  function membersOf(devices: readonly BlockDevice[], { facts }: BlockDevice): readonly BlockDevice[] {
    const all = ofType(devices, "bcachefs").filter((other) => other.facts.uuid === facts.uuid);
    const own = onePerId(all.filter(({ name }) => !liesOnStick(context.machine, name)));
    return own.length >= countOf(own) ? own : onePerId(all);
  }

  function onePerId(members: readonly BlockDevice[]): readonly BlockDevice[] {
    const ids = members.map((member) => memberOf(member)?.deviceId);
    return members.filter((_, index) => ids.indexOf(ids[index]) === index);
  }

  return {
    advance: () => "idle",
    lastResort() {
      isLastResort = true;
    },
    links() {
      const all = ofType(context.devices(), "bcachefs");
      const uuids = all.map(({ facts }) => facts.uuid);
      const firsts = all.filter((_, index) => uuids.indexOf(uuids[index] ?? null) === index);
      const pools = firsts.map((first) => membersOf(all, first)).filter((members) => countOf(members) > 1);
      return pools.map((members) => ({ from: members.map(({ name }) => name), to: null, isReplacement: false }));
    },
    state(device) {
      if (device.facts.type !== "bcachefs") return null;
      const members = membersOf(context.companions(device), device);
      const [count, total] = [members.length, countOf(members)];
      if (count >= total || (isDegraded && (isLastResort || context.isSettled()))) return null;
      const nodes = members.map(({ node }) => node);
      return { kind: "incomplete", text: describePresent(device, count, total, nodes) };
    },
    mountSource(device) {
      if (device.facts.type !== "bcachefs") return null;
      const members = membersOf(context.companions(device), device);
      return members.length > 1 ? members.map(({ node }) => node).join(":") : null;
    },
  };
}
