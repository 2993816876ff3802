import { takeQueuedEvents } from "../devices/device-events.ts";
import type { Context } from "../drivers/context.ts";
import type { Link, NetworkState } from "../machine/network/network.ts";
import type { NetworkPlan } from "../plan/network/plan.ts";
import { describeInterface } from "../problems/diagnoses/network/network.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import { changesForRoutes } from "./address-changes.ts";
import { createDeadline, createNews } from "./address-wait.ts";
import { type Attempt, createAttempt } from "./attempt.ts";
import { findCandidates, findMissing } from "./candidates.ts";
import { makeLinks, renameLinks } from "./made-links.ts";
import { findDriverless, loadNetworkDrivers } from "./network-drivers.ts";
import { createTools } from "./tools.ts";
import type { NetworkUp, UpInterface } from "./up.ts";
import { tryChange, type WayTools } from "./ways/way.ts";

/** Brings the network up, and returns it when an address with its routes is there. Throws BootError if none is within the plan's time. */
export function bringUpNetwork(context: Context, plan: NetworkPlan): NetworkUp {
  const tools = createTools(context, plan);
  const { machine } = context;
  machine.listenForNetwork();
  loadNetworkDrivers(context, plan);
  const loopback = machine.networkState().links.find(({ name }) => name === "lo");
  if (loopback?.isUp === false) tools.change({ kind: "set-link", index: loopback.index, isUp: true });
  const attempts = new Map<number, Attempt>();
  try {
    const found = waitForAddresses(context, plan, tools, attempts);
    for (const up of found) for (const what of changesForRoutes(up, plan.routes)) tryChange(tools, up.name, what);
    setDownOthers(tools, attempts);
    return summarise(plan, found);
  } finally {
    for (const attempt of attempts.values()) attempt.close();
  }
}

/** Returns the interfaces that came up: at least one. */
function waitForAddresses(
  context: Context,
  plan: NetworkPlan,
  tools: WayTools,
  attempts: Map<number, Attempt>,
): readonly UpInterface[] {
  const { machine, drivers } = context;
  const startMs = machine.nowMs();
  const deadline = createDeadline(context, plan);
  const say = createNews(context, attempts);
  for (;;) {
    takeEvents(context);
    const state = advance(plan, tools, attempts, machine.networkState());
    const found = [...attempts.values()].flatMap((attempt) => attempt.result() ?? []);
    if (isEnough(plan, found)) return found;
    const isMissing = findMissing(plan, state.links).length > 0;
    const isStuck = [...attempts.values()].every((attempt) => attempt.report().state === "unusable");
    // The drivers that are left may bring the interface.
    if ((isStuck || isMissing) && drivers.loadMore()) continue;
    const deadlineMs = deadline({ interfaces: attempts.size, up: found.length, isOver: isStuck && !isMissing });
    if (machine.nowMs() >= deadlineMs) return settleForLess(context, plan, attempts, { found, state, startMs });
    const newsMs = say(plan, state, deadlineMs);
    wait(context, attempts, Math.min(deadlineMs, machine.nowMs() + newsMs));
  }
}

/** Waits for news of the interfaces, or until one of them or the boot has something to do. */
function wait({ machine }: Context, attempts: ReadonlyMap<number, Attempt>, untilMs: number): void {
  const all = [...attempts.values()];
  const sockets = all.flatMap((attempt) => attempt.sockets());
  const leftMs = Math.min(untilMs, ...all.map((attempt) => attempt.dueMs())) - machine.nowMs();
  machine.waitForNetwork(sockets, Number.isFinite(leftMs) ? Math.max(0, leftMs) : null);
}

/** At the end of the wait: goes on with the interfaces that came up, or throws if there are none. */
function settleForLess(
  context: Context,
  plan: NetworkPlan,
  attempts: ReadonlyMap<number, Attempt>,
  now: { readonly found: readonly UpInterface[]; readonly state: NetworkState; readonly startMs: number },
): readonly UpInterface[] {
  if (now.found.length === 0) throw giveUp(context, plan, attempts, now);
  warnOfOthers(context, plan, attempts, now.state);
  return now.found;
}

/** Handles uevents: a card that appears late needs its driver. */
function takeEvents({ machine, drivers }: Context): void {
  for (const event of takeQueuedEvents(machine)) drivers.handleEvent(event);
  drivers.advance();
}

/** Makes and names interfaces, and lets each go on; returns the state after that. */
function advance(
  plan: NetworkPlan,
  tools: WayTools,
  attempts: Map<number, Attempt>,
  before: NetworkState,
): NetworkState {
  const isRenamed = renameLinks(tools, plan, before.links);
  const named = isRenamed ? tools.machine.networkState() : before;
  const state = makeLinks(tools, plan.made, named) ? tools.machine.networkState() : named;
  for (const { link, plan: own } of findCandidates(plan, state.links)) {
    const attempt = attempts.get(link.index) ?? createAttempt(tools, own, link);
    attempts.set(link.index, attempt);
    attempt.advance(link, state);
  }
  for (const [index, attempt] of attempts) {
    if (state.links.some((link) => link.index === index)) continue;
    attempt.close();
    attempts.delete(index);
  }
  return state;
}

/** True if every interface that the plan names has an address, and one of those that it does not name. */
function isEnough({ interfaces }: NetworkPlan, found: readonly UpInterface[]): boolean {
  const names = new Set(interfaces.flatMap(({ name }) => name ?? []));
  return interfaces.every(({ name }) =>
    found.some((one) => (name === null ? !names.has(one.name) : one.name === name)),
  );
}

function giveUp(
  { machine }: Context,
  plan: NetworkPlan,
  attempts: ReadonlyMap<number, Attempt>,
  { state, startMs }: { readonly state: NetworkState; readonly startMs: number },
) {
  if (attempts.size === 0) {
    const seen = state.links.filter(({ isEthernet }) => isEthernet).map(describeLink);
    return problem("no-network-interface", {
      wanted: findMissing(plan, state.links),
      seen,
      devices: findDriverless(machine),
    });
  }
  const seconds = Math.round((machine.nowMs() - startMs) / 1000);
  return problem("network-not-up", { seconds, interfaces: [...attempts.values()].map((one) => one.report()) });
}

function describeLink({ name, mac }: Link): string {
  return `${name} (${[...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":")})`;
}

function warnOfOthers(
  { voice }: Context,
  plan: NetworkPlan,
  attempts: ReadonlyMap<number, Attempt>,
  { links }: NetworkState,
): void {
  const reports = [...attempts.values()].map((attempt) => attempt.report()).filter(({ state }) => state !== "up");
  const missing = findMissing(plan, links).map((name) => `there is no interface ${name}`);
  const named = reports.filter(({ name }) => plan.interfaces.some((one) => one.name === name));
  for (const text of [...named.map(describeInterface), ...missing])
    voice.warn(`${printable(text)}: going on without it`);
}

/** What was only tried is left as it was found. */
function setDownOthers(tools: WayTools, attempts: ReadonlyMap<number, Attempt>): void {
  for (const attempt of attempts.values()) {
    // Of interfaces without an address, each may be the one with the targets, also one whose carrier comes late.
    if (attempt.result() !== null || attempt.plan.name !== null || attempt.plan.method === "link") continue;
    tryChange(tools, attempt.report().name, { kind: "set-link", index: attempt.index, isUp: false });
  }
}

function summarise(plan: NetworkPlan, interfaces: readonly UpInterface[]): NetworkUp {
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  const theirs = plan.ignoresPeerDns ? [] : interfaces.flatMap(({ nameservers }) => nameservers);
  const leases = interfaces.flatMap(({ lease }) => lease ?? []);
  return {
    interfaces,
    nameservers: unique([...plan.nameservers, ...theirs]),
    search: plan.ignoresPeerDns ? [] : unique(interfaces.flatMap(({ search }) => search)),
    hostname: plan.hostname ?? leases.find(({ hostname }) => hostname !== null)?.hostname ?? null,
    timeServers: unique([...plan.timeServers, ...leases.flatMap(({ timeServers }) => timeServers)]),
  };
}
