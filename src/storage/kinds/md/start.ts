import { SLOW_MS } from "../../../devices/device-probe.ts";
import type { PendingArray } from "../../../machine/storage/arrays.ts";
import { type SyscallError, tolerateRefusal, unlessRefused } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal } from "../../../problems/report.ts";
import type { StorageContext, StoragePlan, Trouble } from "../../contract.ts";
import { describeArray, describeLack } from "./describe.ts";
import type { Group } from "./groups.ts";
import { chooseName, linkArray } from "./names.ts";

/** The modules of the levels. */
const MODULES: Readonly<Record<number, string>> = {
  "-1": "linear",
  0: "raid0",
  1: "raid1",
  4: "raid456",
  5: "raid456",
  6: "raid456",
  10: "raid10",
};

/** Starts arrays; one whose member does not answer holds up no other. */
export interface Starter {
  /** Starts the array of the group, or continues; returns its kernel name, or null if it is not started, or not yet. */
  start(group: Group): string | null;
  /** True if the start waits for a member. */
  isUnderWay(group: Pick<Group, "uuid">): boolean;
  /** True if the kernel refused the members that are present. */
  isRefused(group: Group): boolean;
  /** What the kernel refused. */
  problems(): readonly Trouble[];
  /** Leaves the starts that are under way: nothing would know of an array that comes after the search. */
  close(): void;
}

interface Refused extends Pick<Group, "members"> {
  readonly refusal: SyscallError;
}

interface Attempt {
  readonly group: Group;
  readonly name: string;
  readonly pending: PendingArray;
}

/** Creates the starter of one search. */
export function createStarter(context: StorageContext, names: StoragePlan["arrays"]["names"]): Starter {
  const nameOf = ({ uuid }: Group) => names.findLast((one) => one.uuid === uuid)?.name ?? null;
  const attempts = new Map<string, Attempt>();
  const refused = new Map<string, Refused>();

  function advance(group: Group): string | null {
    const known = attempts.get(group.uuid);
    const attempt = known ?? beginAttempt(context, group, nameOf(group));
    attempts.set(group.uuid, attempt);
    if (!attempt.pending.isStarted(known === undefined ? SLOW_MS : 0)) {
      const array = describeArray(group.members[0].info);
      if (known === undefined) context.voice.progress(`${array} does not answer yet: the boot continues meanwhile`);
      return null;
    }
    attempts.delete(group.uuid);
    refused.delete(group.uuid);
    finishAttempt(context, attempt, nameOf(group));
    return attempt.name;
  }

  return {
    start: (group) =>
      unlessRefused(
        () => advance(group),
        (refusal) => {
          attempts.delete(group.uuid);
          refused.set(group.uuid, { members: group.members, refusal });
          return null;
        },
      ),
    isUnderWay: ({ uuid }) => attempts.has(uuid),
    isRefused({ uuid, members }) {
      const tried = refused.get(uuid)?.members;
      return tried?.length === members.length && members.every((member) => tried.includes(member));
    },
    problems: () => [...refused.values()].map(describeRefused),
    close() {
      for (const { pending } of attempts.values()) pending.leave();
      attempts.clear();
    },
  };
}

function describeRefused({ members: [{ info }], refusal }: Refused): Trouble {
  const facts = { array: describeArray(info), why: describeRefusal(refusal) };
  return { error: problem("array-refused", facts), isFatal: false };
}

/** Throws SyscallError. */
function beginAttempt({ machine, drivers }: StorageContext, group: Group, given: string | null): Attempt {
  const {
    members: [{ info }],
    state,
  } = group;
  drivers.loadByName("md-mod");
  drivers.loadByName(MODULES[info.level] ?? "");
  const name = chooseName(machine, info, given);
  const members = state.used.map(({ device }) => device.number);
  return { group, name, pending: machine.startArray({ name, metadata: info.metadata, members }) };
}

function finishAttempt(
  context: StorageContext,
  { group: { members, state }, name }: Attempt,
  given: string | null,
): void {
  const { machine, voice } = context;
  const [{ info }] = members;
  context.undo(() => tolerateRefusal(() => machine.stopArray(name)));
  context.look(name);
  linkArray(context, name, info, given);
  const array = describeArray(info);
  for (const { device } of state.stale) {
    voice.warn(`${device.node} is out of date: ${array} was written to without it; it is not used`);
  }
  if (state.kind === "degraded") voice.warn(`${array} is degraded: ${describeLack(state)}`);
}
