import { parseAddress, parseMac } from "../../formats/network/addresses.ts";
import { notSupportedYet } from "../../problems/not-supported.ts";
import { Expected } from "../parse.ts";
import {
  type AddressSetting,
  parseAddressWithPrefix,
  parseInterface,
  parseIp,
  parseMacText,
  parseMtu,
  splitFields,
} from "./fields.ts";

/** A value of ip=: how one interface, or every interface, gets its addresses. */
export interface IpSetting {
  /** null: every interface. */
  readonly interface: string | null;
  readonly method: "dhcp" | "auto6" | "link-local" | "static" | "off";
  /** Of "static". */
  readonly address: AddressSetting | null;
  /** The second field: the other end of a point-to-point link (dracut), or the server (the kernel). */
  readonly peer: string | null;
  readonly gateway: string | null;
  readonly hostname: string | null;
  readonly nameservers: readonly string[];
  readonly timeServers: readonly string[];
  readonly mtu: number | null;
  readonly mac: string | null;
}

/** The last field but the optional ones, in the spellings of the kernel (Documentation/admin-guide/nfs/nfsroot.rst), dracut and systemd-network-generator. */
const METHODS: Readonly<Record<string, IpSetting["method"]>> = {
  dhcp: "dhcp",
  dhcp4: "dhcp",
  "single-dhcp": "dhcp",
  on: "dhcp",
  any: "dhcp",
  both: "dhcp",
  auto6: "auto6",
  either6: "auto6",
  "link-local": "link-local",
  link6: "link-local",
  off: "off",
  none: "off",
};
const UNSUPPORTED: readonly string[] = ["dhcp6", "bootp", "rarp", "ibft"];

const NOTHING: IpSetting = {
  interface: null,
  method: "dhcp",
  address: null,
  peer: null,
  gateway: null,
  hostname: null,
  nameservers: [],
  timeServers: [],
  mtu: null,
  mac: null,
};

/** Parses ip=: a method, INTERFACE:METHOD[:MTU[:MAC]], or the long form of the kernel and of dracut. */
export function parseIpSetting(text: string): IpSetting {
  const fields = splitFields(text);
  const [first = "", second] = fields;
  if (second === undefined && parseAddress(first.split("/", 1)[0] ?? "") === null) {
    return { ...NOTHING, method: parseMethod(first) };
  }
  if (fields.length >= 2 && first !== "" && parseAddress(first.split("/", 1)[0] ?? "") === null) {
    const [name = "", method = "", ...extra] = fields;
    return { ...NOTHING, interface: parseInterface(name), method: parseMethod(method), ...parseLink(extra) };
  }
  return parseLong(fields);
}

function parseMethod(text: string): IpSetting["method"] {
  if (UNSUPPORTED.includes(text)) throw new Expected(`dhcp, auto6 or an address (${notSupportedYet(`ip=${text}`)})`);
  const method = Object.hasOwn(METHODS, text) ? METHODS[text] : undefined;
  if (method === undefined) {
    throw new Expected("dhcp, auto6, off, INTERFACE:dhcp or ADDRESS::GATEWAY:NETMASK:HOSTNAME:INTERFACE:none", [
      ...Object.keys(METHODS),
    ]);
  }
  return method;
}

/** client:peer:gateway:netmask:hostname:interface:method, and then MTU and MAC, or servers. */
function parseLong([
  client = "",
  peer = "",
  gateway = "",
  netmask = "",
  hostname = "",
  name = "",
  ...rest
]: readonly string[]): IpSetting {
  const [methodText = "", ...extra] = rest;
  const given = methodText === "" ? null : parseMethod(methodText);
  const isStatic = client !== "" && (given === null || given === "off");
  return {
    ...NOTHING,
    interface: name === "" ? null : parseInterface(name),
    method: isStatic ? "static" : (given ?? "dhcp"),
    address: isStatic ? parseAddressWithPrefix(client, netmask) : null,
    peer: peer === "" ? null : parseIp(peer.split("/", 1)[0] ?? ""),
    gateway: orNull(gateway, parseIp),
    hostname: orNull(hostname, parseHostname),
    ...parseLink(extra),
    ...parseServers(extra),
  };
}

/** The kernel's NULL fields may be written as 0.0.0.0. */
function orNull<T>(text: string, parse: (text: string) => T): T | null {
  return text === "" || text === "0.0.0.0" ? null : parse(text);
}

/** A name that is safe in files of other programs. */
function parseHostname(text: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text))
    throw new Expected("a host name of letters, digits, - and .");
  return text;
}

/** dracut's [MTU][:MAC]; nothing if the fields are servers. */
function parseLink(extra: readonly string[]): Pick<IpSetting, "mtu" | "mac"> {
  const [mtu = "", ...mac] = extra;
  if (isServers(extra)) return { mtu: null, mac: null };
  const macText = mac.join(":");
  return { mtu: mtu === "" ? null : parseMtu(mtu), mac: macText === "" ? null : parseMacText(macText) };
}

/** The kernel's DNS0:DNS1:NTP0. */
function parseServers(extra: readonly string[]): Pick<IpSetting, "nameservers" | "timeServers"> {
  if (!isServers(extra)) return { nameservers: [], timeServers: [] };
  const [dns0 = "", dns1 = "", ntp = "", ...more] = extra;
  if (more.length > 0) throw new Expected("at most two name servers and one time server at the end");
  const toServers = (...texts: readonly string[]) => texts.flatMap((text) => orNull(text, parseIp) ?? []);
  return { nameservers: toServers(dns0, dns1), timeServers: toServers(ntp) };
}

function isServers([first = "", ...rest]: readonly string[]): boolean {
  if (first !== "") return !/^\d+$/.test(first);
  return rest.some((field) => field !== "") && parseMac(rest.join(":")) === null;
}
