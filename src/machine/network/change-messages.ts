import * as abi from "./abi.ts";
import { type Attribute, encodeAttributes, encodeMessage, u16, u32, viewOf } from "./netlink.ts";
import type { NetworkChange } from "./network.ts";

type ChangeOf<Kind extends NetworkChange["kind"]> = Extract<NetworkChange, { kind: Kind }>;
type Body = {
  readonly type: number;
  readonly flags: number;
  readonly head: Uint8Array;
  readonly attributes: readonly Attribute[];
};

const encoder = new TextEncoder();
const name = (text: string) => encoder.encode(`${text}\0`);
const NEW = abi.NLM_F_CREATE | abi.NLM_F_EXCL;
const OR_REPLACE = abi.NLM_F_CREATE | abi.NLM_F_REPLACE;
/** INFINITY_LIFE_TIME of linux/if_addr.h. */
const INFINITE = 0xffff_ffff;

/** Encodes a change as the request of rtnetlink(7) that the kernel acknowledges. */
export function encodeChange(change: NetworkChange, sequence: number): Uint8Array {
  const { type, flags, head, attributes } = bodyOf(change);
  return encodeMessage({ type, flags: flags | abi.NLM_F_REQUEST | abi.NLM_F_ACK, sequence }, head, attributes);
}

/** Encodes the request for all links (`RTM_GETLINK`), addresses or routes. */
export function encodeDump(type: number, sequence: number): Uint8Array {
  const head = new Uint8Array(type === abi.RTM_GETROUTE ? abi.RTMSG.size : abi.IFINFOMSG.size);
  return encodeMessage({ type, flags: abi.NLM_F_REQUEST | abi.NLM_F_DUMP, sequence }, head, []);
}

function bodyOf(change: NetworkChange): Body {
  switch (change.kind) {
    case "set-link":
      return setLink(change);
    case "make-link":
      return makeLink(change);
    case "remove-link":
      return { type: abi.RTM_DELLINK, flags: 0, head: linkHead(change.index), attributes: [] };
    case "add-address":
      return addAddress(change);
    case "remove-address":
      return {
        type: abi.RTM_DELADDR,
        flags: 0,
        head: addressHead(change),
        attributes: [[abi.IFA_LOCAL, change.address]],
      };
    default:
      return addRoute(change);
  }
}

function linkHead(index: number, flags = 0, changed = 0): Uint8Array {
  const head = new Uint8Array(abi.IFINFOMSG.size);
  const view = viewOf(head);
  view.setInt32(abi.IFINFOMSG.ifi_index, index, true);
  view.setUint32(abi.IFINFOMSG.ifi_flags, flags, true);
  view.setUint32(abi.IFINFOMSG.ifi_change, changed, true);
  return head;
}

function setLink({ index, isUp, name: newName, mac, mtu, master }: ChangeOf<"set-link">): Body {
  const attributes: Attribute[] = [];
  if (newName !== undefined) attributes.push([abi.IFLA_IFNAME, name(newName)]);
  if (mac !== undefined) attributes.push([abi.IFLA_ADDRESS, mac]);
  if (mtu !== undefined) attributes.push([abi.IFLA_MTU, u32(mtu)]);
  if (master !== undefined) attributes.push([abi.IFLA_MASTER, u32(master)]);
  const head = isUp === undefined ? linkHead(index) : linkHead(index, isUp ? abi.IFF_UP : 0, abi.IFF_UP);
  return { type: abi.RTM_NEWLINK, flags: 0, head, attributes };
}

function makeLink(change: ChangeOf<"make-link">): Body {
  const info: Attribute[] = [[abi.IFLA_INFO_KIND, name(change.type)]];
  const attributes: Attribute[] = [[abi.IFLA_IFNAME, name(change.name)]];
  if (change.type === "vlan") {
    attributes.push([abi.IFLA_LINK, u32(change.parent)]);
    info.push([abi.IFLA_INFO_DATA | abi.NLA_F_NESTED, encodeAttributes([[abi.IFLA_VLAN_ID, u16(change.id)]])]);
  }
  attributes.push([abi.IFLA_LINKINFO | abi.NLA_F_NESTED, encodeAttributes(info)]);
  return { type: abi.RTM_NEWLINK, flags: NEW, head: linkHead(0), attributes };
}

function addressHead({ index, address, prefix }: ChangeOf<"remove-address"> | ChangeOf<"add-address">): Uint8Array {
  const head = new Uint8Array(abi.IFADDRMSG.size);
  const view = viewOf(head);
  view.setUint8(abi.IFADDRMSG.ifa_family, familyOf(address));
  view.setUint8(abi.IFADDRMSG.ifa_prefixlen, prefix);
  view.setUint32(abi.IFADDRMSG.ifa_index, index, true);
  return head;
}

function addAddress(change: ChangeOf<"add-address">): Body {
  const { address, peer, broadcast, lifetime } = change;
  const cache = new Uint8Array(abi.IFA_CACHEINFO_SIZE);
  viewOf(cache).setUint32(0, lifetime ?? INFINITE, true);
  viewOf(cache).setUint32(4, lifetime ?? INFINITE, true);
  const attributes: Attribute[] = [
    [abi.IFA_LOCAL, address],
    [abi.IFA_ADDRESS, peer ?? address],
    [abi.IFA_CACHEINFO, cache],
  ];
  if (broadcast !== null) attributes.push([abi.IFA_BROADCAST, broadcast]);
  return { type: abi.RTM_NEWADDR, flags: OR_REPLACE, head: addressHead(change), attributes };
}

function addRoute({ index, destination, gateway, isOnLink, isIpv6 }: ChangeOf<"add-route">): Body {
  const head = new Uint8Array(abi.RTMSG.size);
  const view = viewOf(head);
  view.setUint8(abi.RTMSG.rtm_family, isIpv6 ? abi.AF_INET6 : abi.AF_INET);
  view.setUint8(abi.RTMSG.rtm_dst_len, destination?.prefix ?? 0);
  view.setUint8(abi.RTMSG.rtm_table, abi.RT_TABLE_MAIN);
  view.setUint8(abi.RTMSG.rtm_protocol, abi.RTPROT_BOOT);
  const isLink = gateway === null && !isIpv6;
  view.setUint8(abi.RTMSG.rtm_scope, isLink ? abi.RT_SCOPE_LINK : abi.RT_SCOPE_UNIVERSE);
  view.setUint8(abi.RTMSG.rtm_type, abi.RTN_UNICAST);
  view.setUint32(abi.RTMSG.rtm_flags, isOnLink ? abi.RTNH_F_ONLINK : 0, true);
  const attributes: Attribute[] = [[abi.RTA_OIF, u32(index)]];
  if (destination !== null) attributes.push([abi.RTA_DST, destination.address]);
  if (gateway !== null) attributes.push([abi.RTA_GATEWAY, gateway]);
  return { type: abi.RTM_NEWROUTE, flags: OR_REPLACE, head, attributes };
}

function familyOf(address: Uint8Array): number {
  return address.length === 4 ? abi.AF_INET : abi.AF_INET6;
}
