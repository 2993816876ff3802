import { type IpAddress, isInPrefix, isLinkLocal, netmaskOf, parseAddress } from "../formats/network/addresses.ts";
import type { Lease } from "../formats/network/lease.ts";
import type { NetworkChange } from "../machine/network/network.ts";
import type { AddressSetting } from "../parameters/network/fields.ts";
import type { RouteSetting } from "../parameters/network/links.ts";
import type { InterfacePlan } from "../plan/network/plan.ts";

/** Parses an address that a parser has made. */
function bytesOf(address: string): IpAddress {
  return parseAddress(address) ?? new Uint8Array(4);
}

/** Returns the changes that give an interface the address and the routes of a lease; `isLasting`: the kernel does not remove the address when the lease ends. */
export function changesForLease(index: number, lease: Lease, isLasting: boolean): readonly NetworkChange[] {
  const { address, prefix, broadcast } = lease;
  // Routes on the link first: a gateway may be reached by them. Of several default routes, the first is the server's choice.
  const routes = [...lease.routes].sort((one, other) => Number(one.gateway !== null) - Number(other.gateway !== null));
  const first = routes.find(({ destination }) => destination === null);
  return [
    {
      kind: "add-address",
      index,
      address: bytesOf(address),
      prefix,
      peer: null,
      broadcast: broadcast === null ? broadcastOf(bytesOf(address), prefix) : bytesOf(broadcast),
      lifetime: isLasting ? null : lease.seconds,
    },
    ...routes
      .filter((route) => route.destination !== null || route === first)
      .map((route) => routeChange(index, route, [lease])),
  ];
}

/** Returns the changes that give an interface the static addresses of the plan, and default routes to its gateways. */
export function changesForStatic(index: number, { addresses, gateways }: InterfacePlan): readonly NetworkChange[] {
  return [
    ...addresses.map(({ address, prefix, peer }): NetworkChange => {
      const bytes = bytesOf(address);
      const isBroadcast = bytes.length === 4 && peer === null;
      return {
        kind: "add-address",
        index,
        address: bytes,
        prefix,
        peer: peer === null ? null : bytesOf(peer),
        broadcast: isBroadcast ? broadcastOf(bytes, prefix) : null,
        lifetime: null,
      };
    }),
    ...gateways.map((gateway) => routeChange(index, { destination: null, gateway }, addresses)),
  ];
}

/** Returns the changes for rd.route= on an interface with these addresses: those that name it, and those whose gateway it reaches. */
export function changesForRoutes(
  {
    index,
    name,
    addresses,
  }: { readonly index: number; readonly name: string; readonly addresses: readonly AddressSetting[] },
  routes: readonly RouteSetting[],
): readonly NetworkChange[] {
  const isHere = ({ interface: asked, gateway }: RouteSetting) =>
    asked === null ? gateway !== null && isReached(bytesOf(gateway), addresses) : asked === name;
  return routes.filter(isHere).map(({ destination, gateway }) => {
    const target = destination === "default" ? null : destination;
    return routeChange(index, { destination: target, gateway }, addresses);
  });
}

function routeChange(
  index: number,
  { destination, gateway }: { readonly destination: AddressSetting | null; readonly gateway: string | null },
  addresses: readonly AddressSetting[],
): NetworkChange {
  const via = gateway === null ? null : bytesOf(gateway);
  const target = destination && { address: bytesOf(destination.address), prefix: destination.prefix };
  return {
    kind: "add-route",
    index,
    destination: target,
    gateway: via,
    // As in a network of /32, where the gateway is in no prefix; one that is link-local always is.
    isOnLink: via !== null && !isLinkLocal(via) && !isReached(via, addresses),
    isIpv6: (via ?? target?.address)?.length === 16,
  };
}

function isReached(gateway: IpAddress, addresses: readonly AddressSetting[]): boolean {
  return addresses.some(({ address, prefix }) => isInPrefix(gateway, bytesOf(address), prefix));
}

/** null for a network of two addresses or one (RFC 3021). */
function broadcastOf(address: IpAddress, prefix: number): IpAddress | null {
  const mask = netmaskOf(prefix);
  return prefix > 30 ? null : address.map((byte, at) => byte | (~(mask[at] ?? 0) & 255));
}
