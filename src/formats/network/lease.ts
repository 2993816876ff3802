import { be16, be32, decodeLatin1 } from "../bytes.ts";
import { formatAddress, type IpAddress, parseAddress, prefixOfClass, prefixOfNetmask } from "./addresses.ts";
import { type DhcpMessage, OPTION } from "./dhcp-packet.ts";

/** A route of a lease; `gateway` null: the destination is on the link. */
export interface LeaseRoute {
  /** null: the default route. */
  readonly destination: { readonly address: string; readonly prefix: number } | null;
  readonly gateway: string | null;
}

/** What a DHCP server has given: texts are free of control characters, names fit into files of other programs. */
export interface Lease {
  readonly address: string;
  readonly prefix: number;
  /** null: as the prefix says. */
  readonly broadcast: string | null;
  /** The classless routes (RFC 3442) or, without them, a default route to each router. */
  readonly routes: readonly LeaseRoute[];
  readonly nameservers: readonly string[];
  readonly domain: string | null;
  readonly search: readonly string[];
  readonly hostname: string | null;
  readonly timeServers: readonly string[];
  readonly mtu: number | null;
  readonly rootPath: string | null;
  readonly bootFile: string | null;
  /** The server of the boot file: an address or a name. */
  readonly nextServer: string | null;
  readonly server: string;
  /** null: it does not end. */
  readonly seconds: number | null;
}

const NO_END = 0xffff_ffff;

/** Returns the lease that an offer or an acknowledgement contains; null if it is none that can be used. */
export function parseLease(message: DhcpMessage): Lease | null {
  const { options, address } = message;
  const [server] = addresses(options.get(OPTION.server));
  const netmask = options.get(OPTION.netmask);
  const prefix = netmask?.length === 4 ? prefixOfNetmask(netmask) : prefixOfClass(address);
  const seconds = secondsOf(options.get(OPTION.leaseTime));
  // The kernel refuses an address whose lifetime is 0 (inet_rtm_newaddr() of net/ipv4/devinet.c).
  if (!isHost(address) || server === undefined || prefix === null || prefix === 0 || seconds === 0) return null;
  const mtu = be16(options.get(OPTION.mtu) ?? new Uint8Array(), 0);
  const [broadcast] = addresses(options.get(OPTION.broadcast));
  return {
    address: formatAddress(address),
    prefix,
    broadcast: broadcast ?? null,
    routes: routesOf(options),
    nameservers: addresses(options.get(OPTION.nameservers)),
    domain: nameOf(options.get(OPTION.domain)),
    search: parseSearch(options.get(OPTION.domainSearch) ?? new Uint8Array()),
    hostname: nameOf(options.get(OPTION.hostname)),
    timeServers: addresses(options.get(OPTION.timeServers)),
    mtu: mtu >= 68 ? mtu : null,
    rootPath: textOf(options.get(OPTION.rootPath)),
    bootFile: textOf(options.get(OPTION.bootFile)) ?? textOf(message.file),
    nextServer: serverOf(message),
    server,
    seconds,
  };
}

function secondsOf(value: Uint8Array | undefined): number | null {
  return value?.length !== 4 || be32(value, 0) === NO_END ? null : be32(value, 0);
}

/** False for addresses that no interface can have: 0.0.0.0, loopback, multicast, broadcast. */
function isHost([first = 0]: IpAddress): boolean {
  return first > 0 && first !== 127 && first < 224;
}

function addresses(value: Uint8Array | undefined): readonly string[] {
  const bytes = value ?? new Uint8Array();
  const all = Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.slice(at * 4, at * 4 + 4));
  return all.filter(([first]) => first !== 0).map(formatAddress);
}

/** RFC 3442: a client that knows the classless routes ignores the routers. */
function routesOf(options: DhcpMessage["options"]): readonly LeaseRoute[] {
  const classless = options.get(OPTION.classlessRoutes);
  if (classless !== undefined) return parseRoutes(classless);
  return addresses(options.get(OPTION.routers)).map((gateway) => ({ destination: null, gateway }));
}

/** Each route: the length of the prefix, as many bytes of the destination as it covers, the router. */
function parseRoutes(bytes: Uint8Array): readonly LeaseRoute[] {
  const routes: LeaseRoute[] = [];
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at] ?? 0;
    const covered = Math.ceil(prefix / 8);
    if (prefix > 32 || at + 1 + covered + 4 > bytes.length) return routes;
    const destination = new Uint8Array(4);
    destination.set(bytes.subarray(at + 1, at + 1 + covered));
    const router = bytes.slice(at + 1 + covered, at + 5 + covered);
    routes.push({
      destination: prefix === 0 ? null : { address: formatAddress(destination), prefix },
      gateway: router.every((byte) => byte === 0) ? null : formatAddress(router),
    });
    at += 5 + covered;
  }
  return routes;
}

/** A name of letters, digits, - _ and dots; null for any other text: it goes into files that shells read. */
function nameOf(value: Uint8Array | undefined): string | null {
  const name = decodeLatin1(value ?? new Uint8Array()).replace(/\0+$/, "");
  return /^[a-z0-9_][a-z0-9_.-]{0,252}$/i.test(name) ? name : null;
}

/** null for an empty text, and for one that is not printable ASCII or contains a quote, as it may be put before mount options. */
function textOf(value: Uint8Array | string | undefined): string | null {
  const text = (typeof value === "string" ? value : decodeLatin1(value ?? new Uint8Array())).replace(/\0+$/, "");
  return /^[\x20\x21\x23-\x26\x28-\x7e]{1,1024}$/.test(text) ? text : null;
}

function serverOf({ nextServer, serverName, options }: DhcpMessage): string | null {
  if (isHost(nextServer)) return formatAddress(nextServer);
  const name = textOf(options.get(OPTION.serverName)) ?? textOf(serverName);
  const isName = name !== null && (parseAddress(name) !== null || /^[a-z0-9][a-z0-9.-]*$/i.test(name));
  return isName ? name : null;
}

/** RFC 3397: names in the form of RFC 1035, compressed by pointers into the option. */
function parseSearch(bytes: Uint8Array): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length && names.length < 32; ) {
    const { labels, end } = readName(bytes, at);
    if (end === null) return names;
    const name = labels.join(".");
    if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name) && name.length < 254) names.push(name);
    at = end;
  }
  return names;
}

/** Reads one name; `end` is the place after it, null if it is malformed. A pointer leads only backwards, so no name is endless. */
function readName(
  bytes: Uint8Array,
  start: number,
): { readonly labels: readonly string[]; readonly end: number | null } {
  const labels: string[] = [];
  let end: number | null = null;
  let least = start;
  for (let at = start; labels.length < 128; ) {
    const length = bytes[at];
    if (length === undefined || (length >= 64 && length < 192)) return { labels, end: null };
    if (length === 0) return { labels, end: end ?? at + 1 };
    if (length >= 192) {
      const target = be16(bytes, at) & 0x3fff;
      if (target >= least) return { labels, end: null };
      end ??= at + 2;
      at = target;
      least = target;
      continue;
    }
    labels.push(decodeLatin1(bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return { labels, end: null };
}
