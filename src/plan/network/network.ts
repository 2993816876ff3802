import { onlyTexts } from "../../formats/text.ts";
import { type Deferred, readable } from "../../parameters/network/deferred.ts";
import type { IpSetting } from "../../parameters/network/ip.ts";
import type { MadeInterface } from "../../parameters/network/links.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { printable } from "../../problems/report.ts";
import type { InterfacePlan, NetworkNeeds, NetworkPlan } from "./plan.ts";

/** rd.net.timeout= where it is not given: a switch with spanning tree forwards nothing for the first 30 to 50 s. */
export const DEFAULT_TIMEOUT_MS = 60_000;

const WITHOUT_IP: InterfacePlan = {
  ...{ name: null, method: "any", addresses: [], gateways: [] },
  ...{ mtu: null, mac: null },
};

/** Decides about the network. Its mistakes stop a boot that needs it; of one that only rd.neednet=1 asks for, they are warnings. `isPart`: there are none yet. */
export function planNetwork(
  settings: Settings,
  needs: NetworkNeeds,
  isPart: boolean,
): { network: NetworkPlan; mistakes: readonly string[]; warnings: readonly string[] } {
  const network = decideNetwork(settings, needs);
  const found = isPart ? [] : findNetworkMistakes(settings, network, needs);
  if (needs.isNeeded || found.length === 0) return { network, mistakes: found, warnings: [] };
  const warnings = found.map((text) => `${text}: going on without the network`);
  return { network: { ...network, isNeeded: false }, mistakes: [], warnings };
}

/** Decides whether the network is brought up, and how. */
function decideNetwork(settings: Settings, needs: NetworkNeeds): NetworkPlan {
  const all = readable(settings.ip);
  const used = all.filter(({ method }) => method !== "off");
  const isOff = all.length > 0 && used.length === 0 && needs.links === null;
  const firstOf = <T>(pick: (ip: IpSetting) => T | null) => used.map(pick).find((one) => one !== null) ?? null;
  return {
    isNeeded: (needs.isNeeded || settings.needsNetwork === true) && !isOff,
    isOptional: !needs.isNeeded,
    carriesRoot: needs.carriesRoot,
    interfaces: planInterfaces(used, needs, settings.needsNetwork === true),
    bootMac: settings.usesBootMac === false ? null : (readOne(settings.bootMac) ?? null),
    names: readable(settings.interfaceNames),
    made: inOrder([...readable(settings.bonds), ...readable(settings.vlans), ...readable(settings.bridges)]),
    routes: readable(settings.routes),
    nameservers: unique([...readable(settings.nameservers), ...used.flatMap((ip) => ip.nameservers)]),
    ignoresPeerDns: settings.peerDns === false,
    timeServers: unique([...readable(settings.timeServers), ...used.flatMap((ip) => ip.timeServers)]),
    hostname: firstOf((ip) => ip.hostname),
    timeoutMs: settings.networkTimeoutMs === undefined ? DEFAULT_TIMEOUT_MS : settings.networkTimeoutMs,
  };
}

function readOne<T>(value: Deferred<T> | undefined): T | undefined {
  return value === undefined ? undefined : readable([value])[0];
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** Returns what occurs more than once. */
function doubles(texts: readonly string[]): readonly string[] {
  return unique(texts.filter((text, at) => texts.indexOf(text) !== at));
}

/** Several ip= for one interface are one plan: the last method counts, and static addresses are joined. */
function planInterfaces(
  used: readonly IpSetting[],
  { links, needsAddress }: NetworkNeeds,
  isAsked: boolean,
): readonly InterfacePlan[] {
  const plans = [...Map.groupBy(used, (ip) => ip.interface)].map(([name, settings]): InterfacePlan => {
    const last = settings.at(-1)?.method ?? "dhcp";
    const fixed = last === "static" ? settings.filter(({ method }) => method === "static") : [];
    const lastOf = <T>(pick: (ip: IpSetting) => T | null) => settings.findLast((ip) => pick(ip) !== null);
    return {
      name,
      method: last === "off" ? "dhcp" : last,
      addresses: fixed.flatMap((ip) =>
        ip.address === null ? [] : [{ ...ip.address, peer: isPeer(ip) ? ip.peer : null }],
      ),
      gateways: unique(fixed.flatMap(({ gateway }) => gateway ?? [])),
      mtu: lastOf((ip) => ip.mtu)?.mtu ?? null,
      mac: lastOf((ip) => ip.mac)?.mac ?? null,
    };
  });
  const isOnlyLinked = plans.length === 0 && links !== null && !needsAddress && !isAsked;
  const addressed = plans.length > 0 || isOnlyLinked ? plans : [WITHOUT_IP];
  return [...addressed, ...planLinks(links, addressed)];
}

/** An interface with an address is up anyway. */
function planLinks(links: NetworkNeeds["links"], addressed: readonly InterfacePlan[]): readonly InterfacePlan[] {
  const names: readonly (string | null)[] = links?.length === 0 ? [null] : (links ?? []);
  const others = names.filter((name) => !addressed.some((one) => one.name === name));
  return others.map((name) => ({ ...WITHOUT_IP, name, method: "link" }));
}

/** The second field of ip= is the other end of the link for dracut, and the server for the kernel: on a network with more than two addresses, it can only be the latter. */
function isPeer({ address }: IpSetting): boolean {
  return address !== null && address.prefix === (address.address.includes(":") ? 128 : 32);
}

/** Returns the server in the second field of ip=; null if there is none, or if that is the other end of a link. */
export function findServer({ ip }: Settings): string | null {
  return readable(ip).find((one) => one.peer !== null && !isPeer(one))?.peer ?? null;
}

/** What others are made of comes first: a bond in a VLAN in a bridge. Of a circle, the given order remains, and the kernel refuses it. */
function inOrder(made: readonly MadeInterface[]): readonly MadeInterface[] {
  const byName = new Map(made.map((one) => [one.name, one]));
  const sorted: MadeInterface[] = [];
  const visited = new Set<string>();
  const visit = (one: MadeInterface): void => {
    if (visited.has(one.name)) return;
    visited.add(one.name);
    for (const member of one.members) {
      const below = byName.get(member);
      if (below !== undefined) visit(below);
    }
    sorted.push(one);
  };
  for (const one of byName.values()) visit(one);
  return sorted;
}

/** Parameters whose mistakes count only if the network is needed, with their values. */
function deferredValues(
  settings: Settings,
): readonly (readonly [name: string, values: readonly Deferred<unknown>[]])[] {
  return [
    ["ip", settings.ip],
    ["BOOTIF", settings.bootMac === undefined || settings.usesBootMac === false ? [] : [settings.bootMac]],
    ["ifname", settings.interfaceNames],
    ["nameserver", settings.nameservers],
    ["rd.ntp", settings.timeServers],
    ["rd.route", settings.routes],
    ["vlan", settings.vlans],
    ["bond", settings.bonds],
    ["bridge", settings.bridges],
    ["nfsroot", settings.nfsRoot === undefined ? [] : [settings.nfsRoot]],
    ["archiso_nfs_srv", settings.archNfs === undefined ? [] : [settings.archNfs]],
  ];
}

/** Returns a line for each value that could not be read. */
function describeUnread(settings: Settings): readonly string[] {
  return deferredValues(settings).flatMap(([name, values]) =>
    values.flatMap((one) =>
      "expected" in one
        ? [
            printable(
              `${name}=${one.text}: Expected ${one.expected} but received ${one.text === "" ? "no value" : `"${one.text}"`}`,
            ),
          ]
        : [],
    ),
  );
}

/** Returns the mistakes in the parameters of a network that is needed. */
function findNetworkMistakes(settings: Settings, plan: NetworkPlan, needs: NetworkNeeds): readonly string[] {
  if (!needs.isNeeded && settings.needsNetwork !== true) return [];
  const names = plan.made.map(({ name }) => name);
  const given = [...readable(settings.bonds), ...readable(settings.vlans), ...readable(settings.bridges)];
  // Several VLANs may be on one interface.
  const members = plan.made.filter(({ kind }) => kind !== "vlan").flatMap((one) => unique(one.members));
  return onlyTexts(
    ...describeUnread(settings),
    ...doubles(given.map(({ name }) => name)).map((name) => `${name}: two interfaces cannot have this name`),
    ...doubles(members).map((name) => `${name}: it cannot belong to two interfaces`),
    ...doubles(plan.names.map(({ name }) => name)).map((name) => `ifname=${name}: two interfaces cannot have one name`),
    ...doubles(plan.names.map(({ mac }) => mac)).map(
      (mac) => `ifname=NAME:${mac}: one interface cannot have two names`,
    ),
    ...plan.made.flatMap(({ name, members }) =>
      members.includes(name) ? [`${name}: it cannot be made of itself`] : [],
    ),
    needs.isNeeded && !plan.isNeeded && "ip=off: the boot needs the network",
    ...plan.names.flatMap(({ name }) =>
      names.includes(name) ? [`ifname=${name}: another interface is created with this name`] : [],
    ),
  );
}

/** Returns a line for parameters of a network that is not brought up. */
export function warnOfUnusedNetwork(settings: Settings, { isNeeded }: NetworkPlan): readonly string[] {
  const given = deferredValues(settings).filter(
    // A boot loader adds BOOTIF= to every entry, and nfsroot= is about more than the network.
    ([name, values]) => !["BOOTIF", "nfsroot", "archiso_nfs_srv"].includes(name) && values.length > 0,
  );
  if (isNeeded || given.length === 0) return [];
  const names = given.map(([name]) => `${name}=`).join(", ");
  const verb = given.length === 1 ? "is" : "are";
  const isOff = settings.needsNetwork === true;
  return isOff
    ? []
    : [`${names} ${verb} not used: nothing of this boot lies on the network; rd.neednet=1 brings it up`];
}
