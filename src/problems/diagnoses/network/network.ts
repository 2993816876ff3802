import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../../diagnosis.ts";
import type { Hint } from "../../errors.ts";

/** How far an interface came: "down" is one that the kernel has not set up, "unusable" one for which it has refused something. */
export type LinkTrouble =
  | "down"
  | "no-carrier"
  | "no-answer"
  | "refused"
  | "no-router"
  | "tentative"
  | "duplicate"
  | "unusable"
  | "up";

/** What is waited for on one interface. */
export interface InterfaceReport {
  readonly name: string;
  readonly state: LinkTrouble;
  /** How many messages DHCP has sent. */
  readonly asked: number;
  /** Servers of DHCP that refused. */
  readonly refusals: readonly string[];
}

/** Returns how far an interface is, as a clause. */
export function describeInterface({ name, state, asked, refusals }: InterfaceReport): string {
  const messages = asked === 1 ? "1 message" : `${asked} messages`;
  const words: Readonly<Record<LinkTrouble, string>> = {
    down: "is down",
    "no-carrier": "has no carrier",
    "no-answer": asked === 0 ? "has a carrier" : `has a carrier, but no DHCP server has answered ${messages}`,
    refused: `has a carrier, but the DHCP server ${refusals.join(" and ")} refuses a lease`,
    "no-router": "has a carrier, but no router has advertised",
    tentative: "has a carrier; the kernel checks that no other host has its address",
    duplicate: "has a carrier, but another host has its address",
    unusable: "cannot be used",
    up: "has an address",
  };
  return `${name} ${words[state]}`;
}

/** The cures, by the worst of what the interfaces report: each state that occurs adds its own. */
const CURES: Readonly<Record<LinkTrouble, readonly Hint[]>> = {
  down: [],
  "no-carrier": [byHand("plug in the cable, or check the switch")],
  "no-answer": [
    byHand("check that a DHCP server is on this network, and the VLAN of the switch port"),
    inBootLoader("give a static address: ip=ADDRESS::GATEWAY:NETMASK::INTERFACE:none"),
    inBootLoader("wait longer, if the switch uses spanning tree: rd.net.timeout=120"),
  ],
  refused: [
    byHand("check the leases of the DHCP server: it may have no free address for this machine"),
    inBootLoader("give a static address: ip=ADDRESS::GATEWAY:NETMASK::INTERFACE:none"),
  ],
  "no-router": [byHand("check that a router advertises a prefix on this network"), inBootLoader("use DHCP: ip=dhcp")],
  tentative: [],
  duplicate: [inBootLoader("give another address in ip=")],
  unusable: [inBuilder("add the firmware of the card to the image, if that is missing")],
  up: [],
};

/** The network, where the boot needs it. */
export const NETWORK_PROBLEMS = {
  "no-network-interface": diagnosis<{ wanted: readonly string[]; seen: readonly string[]; devices: readonly string[] }>(
    {
      text: ({ wanted }) =>
        wanted.length === 0
          ? "the network is needed, but there is no network interface"
          : `the network is needed, but there is no interface ${wanted.join(" or ")}`,
      reasons: ({ seen, devices }) => [
        ...(seen.length === 0 ? [] : [`the interfaces are ${seen.join(", ")}`]),
        ...devices.map((device) => `${device} has no driver`),
      ],
      hints: ({ wanted, seen }) => [
        ...(wanted.length > 0 && seen.length > 0
          ? [inBootLoader("correct the interface in ip= or BOOTIF=, or name it with ifname=NAME:MAC")]
          : []),
        inBuilder("add the drivers of network cards to the image: levain image --network"),
      ],
    },
  ),
  "network-not-up": diagnosis<{ seconds: number; interfaces: readonly InterfaceReport[] }>({
    text: ({ seconds }) => `the network did not come up within ${seconds} s`,
    reasons: ({ interfaces }) => interfaces.map(describeInterface),
    hints: ({ interfaces }) => [
      ...new Set(interfaces.flatMap(({ state }) => CURES[state])),
      inShell("retry with other parameters: levain retry ip=…"),
    ],
  }),
  "interface-not-made": diagnosis<{ name: string; kind: string; module: string }>({
    text: ({ name, kind }) => `the kernel refused to create the ${kind} ${name}`,
    hints: ({ module }) => [inBuilder(`add its module to the image: levain image --network (or --module ${module})`)],
  }),
  "bond-option-refused": diagnosis<{ name: string; option: string; value: string }>({
    text: ({ name, option, value }) => `the kernel refused the option ${option}=${value} of the bond ${name}`,
    hints: () => [inBootLoader("correct bond=")],
  }),
};
