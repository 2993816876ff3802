/** A way to an address. */
export type AddressMethod =
  /** DHCP for IPv4. */
  | "dhcp"
  /** IPv6 addresses that the kernel makes from a router advertisement. */
  | "auto6"
  /** Whichever of the two comes first. */
  | "either"
  /** The link-local address of IPv6 is enough. */
  | "link-local"
  /** The addresses of the plan. */
  | "static"
  /** The interface is only set up: what is above it (a bridge, a VLAN) has the addresses. */
  | "none";

/** An address with the length of its prefix, in the form of RFC 4291 or with dots. */
export interface AddressPlan {
  readonly address: string;
  readonly prefix: number;
}

/** A route; `gateway` null: the destination is on the link. */
export interface RoutePlan {
  /** "default", or an address with its prefix. */
  readonly destination: AddressPlan | "default";
  readonly gateway: string | null;
  /** null: the interface that reaches the gateway. */
  readonly interface: string | null;
}

/** How one interface, or every interface, gets its addresses. */
export interface InterfacePlan {
  /** Its name; null: every Ethernet interface, and the first with an address counts. */
  readonly name: string | null;
  readonly method: AddressMethod;
  /** More than one if several ip= name the interface. */
  readonly addresses: readonly AddressPlan[];
  readonly gateways: readonly string[];
  /** Of a point-to-point link; null if there is none. */
  readonly peer: string | null;
  readonly mtu: number | null;
  /** The hardware address to set, "52:54:00:12:34:56". */
  readonly mac: string | null;
}

/** An interface that is made of others. */
export type MadeInterface =
  | { readonly kind: "vlan"; readonly name: string; readonly id: number; readonly members: readonly [string] }
  | {
      readonly kind: "bond";
      readonly name: string;
      readonly members: readonly string[];
      /** "mode=802.3ad" → { mode: "802.3ad" }, as Documentation/networking/bonding.rst names them. */
      readonly options: Readonly<Record<string, string>>;
      readonly mtu: number | null;
    }
  | { readonly kind: "bridge"; readonly name: string; readonly members: readonly string[] };

/** What the boot does with the network: plain data. */
export interface NetworkPlan {
  /** Whether the boot brings it up: rd.neednet=1, or something of the plan lies on it. Without it the rest is not used. */
  readonly isNeeded: boolean;
  /** True if the root stays on the network: its interface is left up, with addresses that do not expire. */
  readonly carriesRoot: boolean;
  /** At least one. */
  readonly interfaces: readonly InterfacePlan[];
  /** BOOTIF=: the hardware address of the interface that the firmware booted from; interfaces without a name mean this one. */
  readonly bootMac: string | null;
  /** ifname=: new names of interfaces, by hardware address. */
  readonly names: readonly { readonly name: string; readonly mac: string }[];
  /** Lower ones first. */
  readonly made: readonly MadeInterface[];
  readonly routes: readonly RoutePlan[];
  readonly nameservers: readonly string[];
  /** rd.peerdns=0: only those are used. */
  readonly ignoresPeerDns: boolean;
  readonly timeServers: readonly string[];
  /** null: that of the lease. */
  readonly hostname: string | null;
  /** How long to wait for an address, in milliseconds; null: no limit. */
  readonly timeoutMs: number | null;
}
