import type { AddressSetting } from "../../parameters/network/fields.ts";
import type { MadeInterface, RouteSetting } from "../../parameters/network/links.ts";

/** How an interface gets its addresses. */
export type AddressMethod =
  /** DHCP for IPv4, or IPv6 addresses by router advertisement: whichever comes first. */
  | "any"
  | "dhcp"
  /** IPv6 addresses that the kernel makes from a router advertisement. */
  | "auto6"
  /** The link-local address of IPv6 is enough. */
  | "link-local"
  /** The addresses of the plan. */
  | "static"
  /** None: the interface is only set up. */
  | "link";

/** How one interface, or every interface, gets its addresses. */
export interface InterfacePlan {
  /** null: every Ethernet interface, and the first with an address counts. */
  readonly name: string | null;
  readonly method: AddressMethod;
  /** Of "static", at least one; `peer`: the other end of a point-to-point link. */
  readonly addresses: readonly (AddressSetting & { readonly peer: string | null })[];
  readonly gateways: readonly string[];
  readonly mtu: number | null;
  /** The hardware address to set. */
  readonly mac: string | null;
}

/** What the boot does with the network: plain data. */
export interface NetworkPlan {
  /** Whether the boot brings it up: rd.neednet=1, or something of the plan lies on it. Without it the rest is not used. */
  readonly isNeeded: boolean;
  /** True if the boot goes on without it: only rd.neednet=1 asks for it. */
  readonly isOptional: boolean;
  /** True if the root stays on the network: its interface stays up, with addresses that do not expire. */
  readonly carriesRoot: boolean;
  /** At least one. */
  readonly interfaces: readonly InterfacePlan[];
  /** BOOTIF=: an interface without a name is the one with this hardware address; null: any. */
  readonly bootMac: string | null;
  /** ifname=: new names of interfaces, by hardware address. */
  readonly names: readonly { readonly name: string; readonly mac: string }[];
  /** VLANs, bonds and bridges, in the order in which they can be made. */
  readonly made: readonly MadeInterface[];
  readonly routes: readonly RouteSetting[];
  readonly nameservers: readonly string[];
  /** rd.peerdns=0: no other name servers are used. */
  readonly ignoresPeerDns: boolean;
  readonly timeServers: readonly string[];
  /** null: that of the lease. */
  readonly hostname: string | null;
  /** How long to wait for an address, in milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
}

/** What of the plan lies on the network. */
export interface NetworkNeeds {
  /** The boot cannot go on without it: the root, an image or the configuration comes from there. */
  readonly isNeeded: boolean;
  /** An address is needed; false if interfaces that are up are enough, as for ATA over Ethernet. */
  readonly needsAddress: boolean;
  /** Interfaces that have to be up, with an address or not; none for every Ethernet interface, null if it does not matter. */
  readonly links: readonly string[] | null;
  /** The root is still there after the handover. */
  readonly carriesRoot: boolean;
}
