/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** The hardware address. */
  readonly mac: Uint8Array;
  /** ARPHRD_ETHER, and not the loopback. */
  readonly isEthernet: boolean;
  readonly isUp: boolean;
  /** The cable is plugged in, and the other end answers. */
  readonly hasCarrier: boolean;
  readonly mtu: number;
  /** "vlan", "bond", "bridge", … of an interface that is made of others or of nothing; null for a device. */
  readonly kind: string | null;
  /** The index of the bond or bridge that it belongs to. */
  readonly master: number | null;
}

/** An address of an interface, in network byte order: 4 bytes, or 16. */
export interface LinkAddress {
  readonly index: number;
  readonly address: Uint8Array;
  readonly prefix: number;
  /** False for addresses that are valid on the link alone. */
  readonly isGlobal: boolean;
  /** The kernel still asks whether another host has it. */
  readonly isTentative: boolean;
  /** Another host has it. */
  readonly isDuplicate: boolean;
}

/** A route of the main table. */
export interface LinkRoute {
  /** The outgoing interface. */
  readonly index: number;
  /** null: the default route. */
  readonly destination: { readonly address: Uint8Array; readonly prefix: number } | null;
  /** null: the destination is on the link. */
  readonly gateway: Uint8Array | null;
  readonly isIpv6: boolean;
}

/** All that the kernel has at one moment. */
export interface NetworkState {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  readonly routes: readonly LinkRoute[];
}

/** Name servers of a router advertisement (RFC 8106). */
export interface AdvertisedDns {
  readonly index: number;
  readonly servers: readonly Uint8Array[];
  readonly domains: readonly string[];
}

/** One change to the network. */
export type NetworkChange =
  /** Fields that are left out stay as they are; `master` 0 takes it out of its bond or bridge. */
  | {
      readonly kind: "set-link";
      readonly index: number;
      readonly isUp?: boolean;
      readonly name?: string;
      readonly mac?: Uint8Array;
      readonly mtu?: number;
      readonly master?: number;
    }
  | { readonly kind: "make-link"; readonly type: "bond" | "bridge"; readonly name: string }
  | {
      readonly kind: "make-link";
      readonly type: "vlan";
      readonly name: string;
      readonly parent: number;
      readonly id: number;
    }
  | { readonly kind: "remove-link"; readonly index: number }
  | {
      readonly kind: "add-address";
      readonly index: number;
      readonly address: Uint8Array;
      readonly prefix: number;
      /** Of a point-to-point link. */
      readonly peer: Uint8Array | null;
      /** Of IPv4. */
      readonly broadcast: Uint8Array | null;
      /** Seconds until the kernel removes it; null: never. */
      readonly lifetime: number | null;
    }
  | { readonly kind: "remove-address"; readonly index: number; readonly address: Uint8Array; readonly prefix: number }
  | {
      readonly kind: "add-route";
      readonly index: number;
      readonly destination: { readonly address: Uint8Array; readonly prefix: number } | null;
      readonly gateway: Uint8Array | null;
      /** The gateway is on the link, whatever the addresses say. */
      readonly isOnLink: boolean;
      readonly isIpv6: boolean;
    };

/** A socket for DHCP on one interface, which needs no address. */
export interface DhcpSocket {
  /** Sends an IPv4 packet to all hosts of the link. */
  send(packet: Uint8Array): void;
  /** Returns the next IPv4 packet with UDP to port 68; null if there is none. */
  receive(): Uint8Array | null;
  close(): void;
}

/** Network interfaces, by rtnetlink(7) and packet(7). */
export interface Networks {
  /** Starts to notice changes; calling it again is no error. */
  listenForNetwork(): void;
  networkState(): NetworkState;
  /** Name servers that routers have advertised since the first `listenForNetwork`, the newest last. */
  advertisedDns(): readonly AdvertisedDns[];
  changeNetwork(change: NetworkChange): void;
  openDhcpSocket(index: number): DhcpSocket;
  /** Waits until something of the network has changed, a packet has come, a uevent is queued or another process has answered; at most `timeoutMs` (null: no limit). */
  waitForNetwork(sockets: readonly DhcpSocket[], timeoutMs: number | null): void;
}
