import { onlyTexts } from "../../formats/text.ts";
import type { MadeInterface, RouteSetting } from "../../parameters/network/links.ts";
import type { InterfacePlan, NetworkPlan } from "./plan.ts";

/** Formats what is done with the network, a line a subject; nothing if it is not needed. */
export function formatNetwork(plan: NetworkPlan): readonly (readonly [subject: string, text: string | null])[] {
  if (!plan.isNeeded) return [];
  const wait = plan.timeoutMs === null ? "without limit" : `at most ${plan.timeoutMs / 1000} s`;
  return [
    ...plan.names.map(({ name, mac }) => ["interface", `${mac} is named ${name}`] as const),
    ...plan.made.map((one) => ["interface", formatMade(one)] as const),
    ...plan.interfaces.map((one) => ["network", formatInterface(one, plan.bootMac)] as const),
    ...plan.routes.map((one) => ["route", formatRoute(one)] as const),
    ["DNS servers", formatNameservers(plan)],
    ["NTP servers", plan.timeServers.join(", ")],
    ["host name", plan.hostname],
    ["net timeout", `${wait}${plan.isOptional ? ", then the boot goes on without it" : ""}`],
  ];
}

const METHODS: Readonly<Record<InterfacePlan["method"], string>> = {
  any: "DHCP or router advertisement",
  dhcp: "DHCP",
  auto6: "router advertisement",
  "link-local": "link-local address",
  static: "",
  link: "up, without an address",
};

function formatInterface(
  { name, method, addresses, gateways, mtu, mac }: InterfacePlan,
  bootMac: string | null,
): string {
  const anyName = bootMac === null ? "the first interface with an address" : `the interface ${bootMac}`;
  const own = addresses.map(({ address, prefix, peer }) => `${address}${peer === null ? "" : ` to ${peer}`}/${prefix}`);
  return onlyTexts(
    `${name ?? anyName}: ${method === "static" ? own.join(" and ") : METHODS[method]}`,
    gateways.length > 0 && `gateway ${gateways.join(" and ")}`,
    mtu !== null && `MTU ${mtu}`,
    mac !== null && `hardware address ${mac}`,
  ).join(", ");
}

function formatMade(made: MadeInterface): string {
  const members = made.members.join(" and ");
  if (made.kind === "vlan") return `${made.name}: VLAN ${made.id} on ${members}`;
  const options = made.kind === "bond" ? Object.entries(made.options).map(([name, value]) => `${name}=${value}`) : [];
  return [`${made.name}: ${made.kind} of ${members}`, ...options].join(", ");
}

function formatRoute({ destination, gateway, interface: name }: RouteSetting): string {
  const to = destination === "default" ? destination : `${destination.address}/${destination.prefix}`;
  return `${to}${gateway === null ? "" : ` via ${gateway}`}${name === null ? "" : ` on ${name}`}`;
}

function formatNameservers({ nameservers, ignoresPeerDns }: NetworkPlan): string {
  return onlyTexts(nameservers.join(", ") || null, ignoresPeerDns && "no others").join(", ");
}
