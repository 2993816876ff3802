import type { Machine } from "../machine/machine.ts";
import type { Link, NetworkState } from "../machine/network/network.ts";
import type { MadeInterface } from "../parameters/network/links.ts";
import type { NetworkPlan } from "../plan/network/plan.ts";
import { problem } from "../problems/problem.ts";
import { tryChange, type WayTools } from "./ways/way.ts";

/** The modules that make each kind. */
export const MADE_MODULES: Readonly<Record<MadeInterface["kind"], string>> = {
  vlan: "8021q",
  bond: "bonding",
  bridge: "bridge",
};

/** Makes the VLANs, bonds and bridges whose members are there; true if one was made or grew. */
export function makeLinks(tools: WayTools, made: readonly MadeInterface[], state: NetworkState): boolean {
  const byName = new Map(state.links.map((link) => [link.name, link]));
  return made.map((one) => makeLink(tools, one, byName)).includes(true);
}

function makeLink(tools: WayTools, made: MadeInterface, byName: ReadonlyMap<string, Link>): boolean {
  const own = byName.get(made.name);
  if (made.kind === "vlan") {
    const parent = byName.get(made.members[0] ?? "");
    if (own !== undefined || parent === undefined) return false;
    if (!parent.isUp) tools.change({ kind: "set-link", index: parent.index, isUp: true });
    create(tools, made, { type: "vlan", name: made.name, parent: parent.index, id: made.id });
    return true;
  }
  if (own === undefined) {
    create(tools, made, { type: made.kind, name: made.name });
    return true;
  }
  const isEmpty = ![...byName.values()].some(({ master }) => master === own.index);
  if (made.kind === "bond" && isEmpty && made.members.some((name) => byName.has(name))) prepareBond(tools, own, made);
  return made.members.map((name) => addMember(tools, own, byName.get(name), made)).includes(true);
}

type Creation =
  | { readonly type: "bond" | "bridge"; readonly name: string }
  | { readonly type: "vlan"; readonly name: string; readonly parent: number; readonly id: number };

function create(tools: WayTools, { name, kind }: MadeInterface, link: Creation): void {
  try {
    tools.change({ kind: "make-link", ...link });
  } catch (cause) {
    throw problem("interface-not-made", { name, kind, module: MADE_MODULES[kind] }, { cause });
  }
}

/** Returns true if the member was added. A bond accepts only one that is down. */
function addMember(tools: WayTools, own: Link, member: Link | undefined, { kind, members }: MadeInterface): boolean {
  if (member === undefined || member.master === own.index) return false;
  if (kind === "bond" && member.isUp) tools.change({ kind: "set-link", index: member.index, isUp: false });
  tools.change({ kind: "set-link", index: member.index, master: own.index });
  tools.change({ kind: "set-link", index: member.index, isUp: true });
  tools.voice.debug(`${member.name} belongs to ${own.name} (${members.length} members)`);
  return true;
}

/** Before its first member: the driver accepts a mode only then, and only while the bond is down. It may have made bond0 itself when it was loaded. */
function prepareBond(tools: WayTools, own: Link, made: MadeInterface & { readonly kind: "bond" }): void {
  if (own.isUp) tools.change({ kind: "set-link", index: own.index, isUp: false });
  setBondOptions(tools.machine, made);
}

/** The driver takes the options as text in /sys; the mode first, because others depend on it. */
function setBondOptions(machine: Machine, made: MadeInterface & { readonly kind: "bond" }): void {
  const options = Object.entries(made.options).sort(
    ([one], [other]) => Number(other === "mode") - Number(one === "mode"),
  );
  for (const [option, value] of options) {
    try {
      for (const part of valuesOf(option, value)) {
        machine.writeFile(`/sys/class/net/${made.name}/bonding/${option}`, part);
      }
    } catch (cause) {
      throw problem("bond-option-refused", { name: made.name, option, value }, { cause });
    }
  }
}

/** Documentation/networking/bonding.rst: each target of ARP monitoring is added with a plus. */
function valuesOf(option: string, value: string): readonly string[] {
  return /^(?:arp_ip|ns_ip6)_target$/.test(option) ? value.split(";").map((one) => `+${one}`) : [value];
}

/** Gives interfaces their names of ifname=; true if one was renamed. A name that another interface has is taken from it. */
export function renameLinks(tools: WayTools, plan: NetworkPlan, links: readonly Link[]): boolean {
  return plan.names.map((wish) => renameLink(tools, wish, links)).includes(true);
}

function renameLink(tools: WayTools, { name, mac }: NetworkPlan["names"][number], links: readonly Link[]): boolean {
  const hex = mac.replaceAll(":", "");
  // A VLAN or a bond has the hardware address of what it is made of.
  const link = links.find((one) => one.mac.toHex() === hex && (one.kind === null || one.kind === "veth"));
  if (link === undefined || link.name === name) return false;
  const holder = links.find((one) => one.name === name);
  if (holder !== undefined) rename(tools, holder, `old${holder.index}`);
  rename(tools, link, name);
  return true;
}

function rename(tools: WayTools, { index, isUp, name }: Link, newName: string): void {
  if (isUp) tools.change({ kind: "set-link", index, isUp: false });
  tryChange(tools, name, { kind: "set-link", index, name: newName });
}
