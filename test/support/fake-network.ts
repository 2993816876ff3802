import { isInPrefix, parseMac } from "../../src/formats/network/addresses.ts";
import type { DhcpSocket, Link, LinkAddress, LinkRoute, NetworkChange } from "../../src/machine/network/network.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeDhcpServer } from "./fake-dhcp-server.ts";
import type { FakeKernel } from "./fake-kernel.ts";

export interface FakeCard {
  readonly name: string;
  readonly mac: string;
  /** When the cable is there, in ms of the kernel's clock; at once where not given, never if infinite. */
  readonly carrierAtMs?: number;
  /** When the card itself is there. */
  readonly arrivesAtMs?: number;
  /** Who answers on this cable. */
  readonly servers?: readonly FakeDhcpServer[];
  /** A router that advertises a prefix, some time after the interface is up. */
  readonly router?: { readonly afterMs: number; readonly address: Uint8Array; readonly gateway: Uint8Array };
  /** Another host has every IPv6 address. */
  readonly hasDuplicate?: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type FakeLink = Mutable<Link> & { readonly card: FakeCard | null };

const LOOPBACK: FakeLink = {
  index: 1,
  name: "lo",
  mac: new Uint8Array(6),
  isEthernet: false,
  isUp: false,
  hasCarrier: false,
  mtu: 65_536,
  kind: null,
  master: null,
  card: null,
};
/** Duplicate address detection (RFC 4862). */
const CHECK_MS = 1000;

/** A model of network interfaces, and of what answers on their cables. */
export class FakeNetwork {
  readonly links: FakeLink[] = [{ ...LOOPBACK }];
  addresses: Mutable<LinkAddress>[] = [];
  routes: LinkRoute[] = [];
  readonly received = new Map<DhcpSocket, Uint8Array[]>();
  hasNews = false;
  readonly #kernel: FakeKernel;
  #nextIndex = 2;

  constructor(kernel: FakeKernel, cards: readonly FakeCard[]) {
    this.#kernel = kernel;
    for (const card of cards) kernel.happenAt(card.arrivesAtMs ?? 0, () => this.#plugIn(card));
  }

  #plugIn(card: FakeCard): void {
    const index = this.#nextIndex++;
    const mac = parseMac(card.mac) ?? new Uint8Array(6);
    const link = { ...LOOPBACK, index, name: card.name, mac, isEthernet: true, mtu: 1500, card };
    this.links.push(link);
    this.hasNews = true;
    const carrierMs = card.carrierAtMs ?? 0;
    if (carrierMs > this.#kernel.nowMs) this.#kernel.happenAt(carrierMs, () => this.#update(link));
  }

  link(index: number): FakeLink {
    const link = this.links.find((one) => one.index === index);
    if (link === undefined) throw new SyscallError("rtnetlink", "ENODEV", "set-link");
    return link;
  }

  /** The carrier follows the cable, while the interface is up. */
  #update(link: FakeLink): void {
    const members = this.links.filter(({ master }) => master === link.index);
    const hasCable =
      link.card === null
        ? link.kind === "vlan" || members.some(({ isUp }) => isUp)
        : (link.card.carrierAtMs ?? 0) <= this.#kernel.nowMs;
    const before = link.hasCarrier;
    link.hasCarrier = link.isUp && hasCable;
    this.hasNews = true;
    const router = link.card?.router;
    if (before || !link.hasCarrier || router === undefined) return;
    const { afterMs, address, gateway } = router;
    this.#kernel.happenAt(this.#kernel.nowMs + afterMs, () => {
      this.#addAddress(link.index, address, 64);
      this.routes.push({ index: link.index, destination: null, gateway, isIpv6: true });
    });
  }

  #addAddress(index: number, address: Uint8Array, prefix: number): void {
    const isSix = address.length === 16;
    const one = { index, address, prefix, isGlobal: true, isTentative: isSix, isDuplicate: false };
    this.addresses.push(one);
    this.hasNews = true;
    if (!isSix) return;
    this.#kernel.happenAt(this.#kernel.nowMs + CHECK_MS, () => {
      const isDuplicate = this.link(index).card?.hasDuplicate === true;
      Object.assign(one, { isTentative: isDuplicate, isDuplicate });
      this.hasNews = true;
    });
  }

  change(what: NetworkChange): void {
    this.hasNews = true;
    switch (what.kind) {
      case "set-link":
        this.#setLink(what);
        break;
      case "make-link":
        if (this.links.some(({ name }) => name === what.name)) throw new SyscallError("rtnetlink", "EEXIST", what.kind);
        this.links.push({
          ...LOOPBACK,
          index: this.#nextIndex++,
          name: what.name,
          isEthernet: true,
          mtu: 1500,
          kind: what.type,
        });
        break;
      case "remove-link":
        this.links.splice(this.links.indexOf(this.link(what.index)), 1);
        for (const one of this.links) if (one.master === what.index) one.master = null;
        break;
      case "add-address":
        if (what.lifetime === 0) throw new SyscallError("rtnetlink", "EINVAL", what.kind);
        this.#addAddress(what.index, what.address, what.prefix);
        break;
      case "remove-address":
        this.addresses = this.addresses.filter(
          (one) => one.index !== what.index || !isInPrefix(one.address, what.address, 128),
        );
        break;
      default:
        this.#addRoute(what);
    }
  }

  #setLink({ index, isUp, name, mac, mtu, master }: Extract<NetworkChange, { kind: "set-link" }>): void {
    const link = this.link(index);
    if (name !== undefined && link.isUp) throw new SyscallError("rtnetlink", "EBUSY", "set-link");
    if (name !== undefined) link.name = name;
    if (mac !== undefined) link.mac = mac;
    if (mtu !== undefined) link.mtu = mtu;
    if (master !== undefined) link.master = master === 0 ? null : master;
    if (isUp !== undefined) link.isUp = isUp;
    if (isUp === false) this.routes = this.routes.filter((route) => route.index !== index);
    for (const one of this.links) this.#update(one);
  }

  /** As fib_check_nh() of net/ipv4/fib_semantics.c: a gateway is reached by an address of the interface, unless it is on the link. */
  #addRoute({ index, destination, gateway, isOnLink, isIpv6 }: Extract<NetworkChange, { kind: "add-route" }>): void {
    const isReached = this.addresses.some(
      (one) => one.index === index && gateway !== null && isInPrefix(one.address, gateway, one.prefix),
    );
    if (gateway !== null && !isOnLink && !isReached && !isIpv6)
      throw new SyscallError("rtnetlink", "ENETUNREACH", "add-route");
    this.routes.push({ index, destination, gateway, isIpv6 });
  }

  send(index: number, socket: DhcpSocket, packet: Uint8Array): void {
    const link = this.link(index);
    if (!link.hasCarrier) throw new SyscallError("sendto", "ENETDOWN", "DHCP");
    for (const server of link.card?.servers ?? []) {
      for (const answer of server(packet, this.#kernel.nowMs)) {
        this.#kernel.happenAt(this.#kernel.nowMs + answer.afterMs, () =>
          this.received.get(socket)?.push(answer.packet),
        );
      }
    }
  }
}
