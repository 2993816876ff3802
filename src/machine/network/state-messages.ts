import * as abi from "./abi.ts";
import { type NetlinkMessage, parseAttributes, readU32, viewOf } from "./netlink.ts";
import type { AdvertisedDns, Link, LinkAddress, LinkRoute } from "./network.ts";

const decoder = new TextDecoder();
const text = (bytes: Uint8Array | undefined) => decoder.decode(bytes ?? new Uint8Array()).replace(/\0.*$/s, "");

/** Parses RTM_NEWLINK; null for another message or one that is cut off. */
export function parseLink({ type, payload }: NetlinkMessage): Link | null {
  if (type !== abi.RTM_NEWLINK || payload.length < abi.IFINFOMSG.size) return null;
  const view = viewOf(payload);
  const attributes = parseAttributes(payload.subarray(abi.IFINFOMSG.size));
  const flags = view.getUint32(abi.IFINFOMSG.ifi_flags, true);
  const info = parseAttributes(attributes.get(abi.IFLA_LINKINFO) ?? new Uint8Array());
  return {
    index: view.getInt32(abi.IFINFOMSG.ifi_index, true),
    name: text(attributes.get(abi.IFLA_IFNAME)),
    mac: new Uint8Array(attributes.get(abi.IFLA_ADDRESS) ?? []),
    isEthernet: view.getUint16(abi.IFINFOMSG.ifi_type, true) === abi.ARPHRD_ETHER && (flags & abi.IFF_LOOPBACK) === 0,
    isUp: (flags & abi.IFF_UP) !== 0,
    // Not IFF_RUNNING: the kernel sets it up to a second later (net/core/link_watch.c). Dormant: 802.1X has not let the link through.
    hasCarrier: (flags & abi.IFF_LOWER_UP) !== 0 && (flags & abi.IFF_DORMANT) === 0,
    mtu: readU32(attributes.get(abi.IFLA_MTU)),
    kind: text(info.get(abi.IFLA_INFO_KIND)) || null,
    master: readU32(attributes.get(abi.IFLA_MASTER)) || null,
  };
}

/** Parses RTM_NEWADDR. */
export function parseLinkAddress({ type, payload }: NetlinkMessage): LinkAddress | null {
  if (type !== abi.RTM_NEWADDR || payload.length < abi.IFADDRMSG.size) return null;
  const view = viewOf(payload);
  const attributes = parseAttributes(payload.subarray(abi.IFADDRMSG.size));
  // Of a point-to-point link, IFA_ADDRESS is the other end.
  const address = attributes.get(abi.IFA_LOCAL) ?? attributes.get(abi.IFA_ADDRESS);
  const length = lengthOf(view.getUint8(abi.IFADDRMSG.ifa_family));
  if (address?.length !== length) return null;
  const wide = attributes.get(abi.IFA_FLAGS);
  const flags = wide === undefined ? view.getUint8(abi.IFADDRMSG.ifa_flags) : readU32(wide);
  return {
    index: view.getUint32(abi.IFADDRMSG.ifa_index, true),
    address: new Uint8Array(address),
    prefix: view.getUint8(abi.IFADDRMSG.ifa_prefixlen),
    isGlobal: view.getUint8(abi.IFADDRMSG.ifa_scope) === abi.RT_SCOPE_UNIVERSE,
    isTentative: (flags & abi.IFA_F_TENTATIVE) !== 0,
    isDuplicate: (flags & abi.IFA_F_DADFAILED) !== 0,
  };
}

/** Bytes of an address; null for another family. */
function lengthOf(family: number): number | null {
  if (family === abi.AF_INET) return 4;
  return family === abi.AF_INET6 ? 16 : null;
}

/** Parses RTM_NEWROUTE; null also for routes that are not in the main table, or have several ways. */
export function parseLinkRoute({ type, payload }: NetlinkMessage): LinkRoute | null {
  if (type !== abi.RTM_NEWROUTE || payload.length < abi.RTMSG.size) return null;
  const view = viewOf(payload);
  const length = lengthOf(view.getUint8(abi.RTMSG.rtm_family));
  const isMain = view.getUint8(abi.RTMSG.rtm_table) === abi.RT_TABLE_MAIN;
  if (!isMain || view.getUint8(abi.RTMSG.rtm_type) !== abi.RTN_UNICAST || length === null) return null;
  const attributes = parseAttributes(payload.subarray(abi.RTMSG.size));
  const index = readU32(attributes.get(abi.RTA_OIF));
  if (index === 0) return null;
  const prefix = view.getUint8(abi.RTMSG.rtm_dst_len);
  const address = attributes.get(abi.RTA_DST);
  const gateway = attributes.get(abi.RTA_GATEWAY);
  return {
    index,
    destination: prefix === 0 || address === undefined ? null : { address: new Uint8Array(address), prefix },
    gateway: gateway === undefined ? null : new Uint8Array(gateway),
    isIpv6: length === 16,
  };
}

/** Options of RFC 8106. */
const RDNSS = 25;
const DNSSL = 31;

/** Parses RTM_NEWNDUSEROPT: name servers and search domains of a router advertisement. */
export function parseAdvertisedDns({ type, payload }: NetlinkMessage): AdvertisedDns | null {
  if (type !== abi.RTM_NEWNDUSEROPT || payload.length < abi.NDUSEROPTMSG.size) return null;
  const view = viewOf(payload);
  const end = abi.NDUSEROPTMSG.size + view.getUint16(abi.NDUSEROPTMSG.nduseropt_opts_len, true);
  const options = payload.subarray(abi.NDUSEROPTMSG.size, end);
  const servers: Uint8Array[] = [];
  const domains: string[] = [];
  for (let at = 0; at + 8 <= options.length; ) {
    const length = (options[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > options.length) break;
    // A type and a length, two reserved bytes, and a lifetime of 4 bytes: 0 takes the servers back.
    const isValid = options.subarray(at + 4, at + 8).some((byte) => byte !== 0);
    const body = options.subarray(at + 8, at + length);
    if (isValid && options[at] === RDNSS) servers.push(...splitAddresses(body));
    if (isValid && options[at] === DNSSL) domains.push(...parseDomains(body));
    at += length;
  }
  if (servers.length === 0 && domains.length === 0) return null;
  return { index: view.getInt32(abi.NDUSEROPTMSG.nduseropt_ifindex, true), servers, domains };
}

function splitAddresses(body: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.floor(body.length / 16) }, (_, at) => body.slice(at * 16, at * 16 + 16));
}

/** Parses names in the form of RFC 1035 without compression, as RFC 8106 has them; one that no resolver would take is left out. */
export function parseDomains(body: Uint8Array): readonly string[] {
  const domains: string[] = [];
  let labels: string[] = [];
  for (let at = 0; at < body.length; ) {
    const length = body[at] ?? 0;
    if (length > 63 || at + 1 + length > body.length) break;
    if (length === 0) {
      const name = labels.join(".");
      if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name) && name.length < 254) domains.push(name);
      labels = [];
    } else {
      labels.push(String.fromCharCode(...body.subarray(at + 1, at + 1 + length)));
    }
    at += 1 + length;
  }
  return domains;
}
