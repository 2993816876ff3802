/** An IP address in network byte order: 4 bytes of IPv4, or 16 of IPv6. */
export type IpAddress = Uint8Array;

/** Parses an address of IPv4 (four decimal numbers) or IPv6 (RFC 4291, without a zone); null for anything else. */
export function parseAddress(text: string): IpAddress | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** A number with a leading zero is refused: inet_aton(3) reads it as octal, other programs as decimal. */
function parseIpv4(text: string): IpAddress | null {
  const parts = text.split(".");
  const isWhole = parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isWhole ? Uint8Array.from(parts, Number) : null;
}

function parseIpv6(text: string): IpAddress | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  if (left === null || right === null) return null;
  const missing = 16 - left.length - right.length;
  // "::" stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...left, ...new Array<number>(missing).fill(0), ...right]);
}

/** Returns the bytes of groups separated by colons; the last may be an IPv4 address. */
function parseGroups(text: string): readonly number[] | null {
  const groups = text === "" ? [] : text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const last = index === groups.length - 1 && group.includes(".") ? parseIpv4(group) : null;
    if (last !== null) bytes.push(...last);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return null;
  }
  return bytes;
}

/** Formats an address; of IPv6 in the form of RFC 5952. */
export function formatAddress(address: IpAddress): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((address[2 * at] ?? 0) << 8) | (address[2 * at + 1] ?? 0)).toString(16),
  );
  const runs = [
    ...groups
      .map((group) => (group === "0" ? "0" : "x"))
      .join("")
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.reduce<{ index: number; length: number } | null>(
    (best, run) => (run[0].length > (best?.length ?? 0) ? { index: run.index, length: run[0].length } : best),
    null,
  );
  if (longest === null) return groups.join(":");
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(longest.index + longest.length).join(":")}`;
}

/** True for an address of IPv6, as text. */
export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** True for fe80::/10: an address that many links have. */
export function isLinkLocal(address: IpAddress): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

/** Returns the length of the prefix that a netmask stands for; null if its ones are not all in front. */
export function prefixOfNetmask(netmask: IpAddress): number | null {
  const bits = [...netmask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.replace(/0+$/, "").length : null;
}

/** Returns the netmask of IPv4 of a prefix. */
export function netmaskOf(prefix: number): IpAddress {
  return Uint8Array.from([0, 8, 16, 24], (from) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - from))));
}

/** Returns the prefix that the class of an IPv4 address stands for (RFC 791), as the kernel guesses it (net/ipv4/ipconfig.c); null for multicast and above. */
export function prefixOfClass(address: IpAddress): number | null {
  const first = address[0] ?? 0;
  if (first < 128) return 8;
  if (first < 192) return 16;
  return first < 224 ? 24 : null;
}

/** True if two addresses of one kind have the first `prefix` bits in common. */
export function isInPrefix(one: IpAddress, other: IpAddress, prefix: number): boolean {
  return (
    one.length === other.length &&
    one.every((byte, at) => {
      const bits = Math.min(8, Math.max(0, prefix - 8 * at));
      return (byte ^ (other[at] ?? 0)) >> (8 - bits) === 0;
    })
  );
}

/** Parses a hardware address of six bytes, with colons or dashes. */
export function parseMac(text: string): Uint8Array | null {
  return /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}){5}$/i.test(text) ? Uint8Array.fromHex(text.replace(/[:-]/g, "")) : null;
}

/** Formats a hardware address: "52:54:00:12:34:56". */
export function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
