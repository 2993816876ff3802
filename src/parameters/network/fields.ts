import {
  formatAddress,
  formatMac,
  type IpAddress,
  parseAddress,
  parseMac,
  prefixOfClass,
  prefixOfNetmask,
} from "../../formats/network/addresses.ts";
import { Expected } from "../parse.ts";

/** An address with the length of its prefix, as text: "192.0.2.5" and 24. */
export interface AddressSetting {
  readonly address: string;
  readonly prefix: number;
}

/** Splits at colons, but not in brackets: an address of IPv6 stands in them. The brackets are removed. */
export function splitFields(text: string): readonly string[] {
  const fields = text.match(/(?:\[[^\]]*\]|[^:])+|(?<=:|^)(?=:|$)/g) ?? [""];
  return fields.map((field) => field.replace(/^\[([^\]]*)\]/, "$1"));
}

/** Parses an address, and returns it in its usual form. */
export function parseIp(text: string): string {
  return formatAddress(ipBytes(text));
}

/** Parses an address, in brackets or not. */
export function parseBracketedIp(text: string): string {
  return parseIp(text.replace(/^\[(.*)\]$/, "$1"));
}

/** Parses the name or the address of an NTP server. */
export function parseTimeServer(text: string): string {
  if (/^[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?$/i.test(text)) return text;
  return parseBracketedIp(text);
}

function ipBytes(text: string): IpAddress {
  const bytes = parseAddress(text);
  if (bytes === null) throw new Expected("an IP address (192.0.2.5, or [2001:db8::5] in brackets)");
  return bytes;
}

/** Parses ADDRESS/PREFIX, or an address whose prefix is `netmask`; without both, the prefix is that of the address's class (IPv4) or 64. */
export function parseAddressWithPrefix(text: string, netmask: string): AddressSetting {
  const [own = "", inAddress] = text.split("/", 2);
  const bytes = ipBytes(own);
  const given = inAddress ?? netmask;
  const prefix = given === "" ? guessPrefix(bytes) : parsePrefix(given, bytes);
  return { address: formatAddress(bytes), prefix };
}

function guessPrefix(address: IpAddress): number {
  const prefix = address.length === 16 ? 64 : prefixOfClass(address);
  if (prefix === null) throw new Expected("an address that is no multicast address");
  return prefix;
}

/** A prefix as a number, or as a netmask of IPv4. */
function parsePrefix(text: string, { length }: IpAddress): number {
  const most = length * 8;
  const netmask = length === 4 ? parseAddress(text) : null;
  const prefix = netmask === null ? Number(/^\d{1,3}$/.test(text) ? text : Number.NaN) : prefixOfNetmask(netmask);
  if (prefix === null || !(prefix >= 0 && prefix <= most)) {
    throw new Expected(
      `a netmask${length === 4 ? " (255.255.255.0)" : ""} or the length of a prefix from 0 to ${most}`,
    );
  }
  return prefix;
}

/** Parses the name of an interface: what the kernel accepts (dev_valid_name() of net/core/dev.c), but no pattern ("eth%d"). */
export function parseInterface(text: string): string {
  if (!/^[^\s/:%\0]{1,15}$/.test(text) || text === "." || text === "..") {
    throw new Expected("the name of a network interface (at most 15 characters)");
  }
  return text;
}

/** Parses names of interfaces, separated by commas. */
export function parseInterfaces(text: string): readonly string[] {
  return text.split(",").map(parseInterface);
}

/** Parses a hardware address into "52:54:00:12:34:56". */
export function parseMacText(text: string): string {
  const bytes = parseMac(text);
  if (bytes === null) throw new Expected("a hardware address (52:54:00:12:34:56)");
  return formatMac(bytes);
}

/** Parses an MTU; 68 is the least of IPv4 (RFC 791). */
export function parseMtu(text: string): number {
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(mtu >= 68 && mtu <= 65_535)) throw new Expected("an MTU from 68 to 65535");
  return mtu;
}
