import { ArchiveError } from "./fault.ts";

/** The records of an extended header (POSIX.1-2001, pax), in their order. Values are bytes, as an attribute may be any. */
export type PaxRecords = readonly (readonly [keyword: string, value: Uint8Array])[];

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Parses "LENGTH KEYWORD=VALUE\n", one after the other; the length is that of the record. Throws ArchiveError. */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const records: [string, Uint8Array][] = [];
  const malformed = () => new ArchiveError("malformed", "", "an extended header");
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(SPACE, at);
    const digits = Buffer.from(bytes.subarray(at, Math.max(at, space))).toString("latin1");
    const end = at + (/^\d{1,8}$/.test(digits) ? Number(digits) : Number.NaN);
    if (!(end > space + 1 && end <= bytes.length) || bytes[end - 1] !== NEWLINE) throw malformed();
    const record = bytes.subarray(space + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (equals < 1) throw malformed();
    records.push([Buffer.from(record.subarray(0, equals)).toString("latin1"), record.slice(equals + 1)]);
    at = end;
  }
  return records;
}

/** Returns the last value of a keyword as text, with one character for each byte; null if there is none, or it is empty, which takes back an earlier one. */
export function paxText(records: PaxRecords, keyword: string): string | null {
  const value = records.findLast(([name]) => name === keyword)?.[1];
  return value === undefined || value.length === 0 ? null : Buffer.from(value).toString("latin1");
}

/** Returns the last value of a keyword as a whole number; null if there is none. Throws ArchiveError. */
export function paxNumber(records: PaxRecords, keyword: string): number | null {
  const text = paxText(records, keyword);
  if (text === null) return null;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ArchiveError("malformed", "", keyword);
  return value;
}

/** Returns the last value of a keyword as nanoseconds since 1970; null if there is none. Throws ArchiveError. */
export function paxTime(records: PaxRecords, keyword: string): bigint | null {
  const text = paxText(records, keyword);
  if (text === null) return null;
  const [, sign, seconds, fraction = ""] = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text) ?? [];
  if (seconds === undefined) throw new ArchiveError("malformed", "", keyword);
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return sign === "-" ? -time : time;
}

/** What attributes are called by GNU tar and star; SELinux has a keyword of its own. */
const ATTRIBUTE = "SCHILY.xattr.";
const SELINUX = "RHT.security.selinux";

/** Returns the extended attributes by name. */
export function paxAttributes(records: PaxRecords): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const [keyword, value] of records) {
    if (keyword.startsWith(ATTRIBUTE)) attributes.set(keyword.slice(ATTRIBUTE.length), value);
    // As the kernel keeps it: with a NUL.
    if (keyword === SELINUX) attributes.set("security.selinux", Uint8Array.of(...value, 0));
  }
  return attributes;
}
