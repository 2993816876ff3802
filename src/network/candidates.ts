import { formatMac } from "../formats/network/addresses.ts";
import type { Link } from "../machine/network/network.ts";
import type { InterfacePlan, NetworkPlan } from "../plan/network/plan.ts";

/** An interface, and how it gets its addresses. */
export interface Candidate {
  readonly link: Link;
  readonly plan: InterfacePlan;
}

/** Returns the interfaces that the plan is about: those that it names, and for one without a name all that may be meant. */
export function findCandidates(plan: NetworkPlan, links: readonly Link[]): readonly Candidate[] {
  const named = new Set(plan.interfaces.flatMap(({ name }) => name ?? []));
  return plan.interfaces.flatMap((one) =>
    links
      .filter((link) => (one.name === null ? isAny(plan, link) && !named.has(link.name) : link.name === one.name))
      .map((link) => ({ link, plan: one })),
  );
}

/** True for an Ethernet interface that nothing is made of; with BOOTIF= only for that one. */
function isAny({ made, bootMac }: NetworkPlan, link: Link): boolean {
  const isPart = link.master !== null || made.some(({ members }) => members.includes(link.name));
  // Of what is made, only what the plan makes: dummy and ifb interfaces appear with their modules.
  const isDevice = link.kind === null || link.kind === "veth" || made.some(({ name }) => name === link.name);
  return link.isEthernet && isDevice && !isPart && (bootMac === null || formatMac(link.mac) === bootMac);
}

/** Returns the names of interfaces that the plan needs and that are not there, for a report. */
export function findMissing(plan: NetworkPlan, links: readonly Link[]): readonly string[] {
  const names = [...plan.interfaces.flatMap(({ name }) => name ?? []), ...plan.made.flatMap(({ members }) => members)];
  const missing = names.filter((name) => !links.some((link) => link.name === name));
  const isBootMissing =
    plan.bootMac !== null &&
    plan.interfaces.some(({ name }) => name === null) &&
    !links.some(({ mac }) => formatMac(mac) === plan.bootMac);
  return [...new Set([...missing, ...(isBootMissing ? [plan.bootMac ?? ""] : [])])];
}
