import { printable } from "../../problems/report.ts";
import { TYPE_BITS } from "../archive/cpio.ts";
import type { CpioMember } from "../archive/cpio-reader.ts";

const TYPE_MASK = 0o170000;
const TYPE_LETTERS: ReadonlyMap<number, string> = new Map([
  [TYPE_BITS.file, "-"],
  [TYPE_BITS.directory, "d"],
  [TYPE_BITS.symlink, "l"],
  [TYPE_BITS.block, "b"],
  [TYPE_BITS.character, "c"],
  [TYPE_BITS.fifo, "p"],
  [0o140000, "s"],
]);
const PERMISSIONS = "rwxrwxrwx";
/** What setuid, setgid and the sticky bit make of the x, or of the - where there is none. */
const SPECIAL_BITS = [
  { bit: 0o4000, place: 2, set: "s", unset: "S" },
  { bit: 0o2000, place: 5, set: "s", unset: "S" },
  { bit: 0o1000, place: 8, set: "t", unset: "T" },
] as const;

/** A member as a line of `cpio -tvn`, but with its time in UTC and in digits: "-rw-r--r--   1 0  0   12 2026-01-31 23:59 etc/fstab". */
export function formatMember(member: CpioMember): string {
  const { mode, nlink, uid, gid, mtime, data } = member;
  const type = mode & TYPE_MASK;
  const isNode = type === TYPE_BITS.block || type === TYPE_BITS.character;
  const size = isNode ? `${`${member.major}`.padStart(3)}, ${`${member.minor}`.padStart(3)}` : `${data.length}`;
  const time = new Date(mtime * 1000).toISOString().slice(0, 16).replace("T", " ");
  const target = type === TYPE_BITS.symlink ? ` -> ${printable(new TextDecoder().decode(data))}` : "";
  const owner = `${`${uid}`.padEnd(8)} ${`${gid}`.padEnd(8)}`;
  return `${formatMode(mode)} ${`${nlink}`.padStart(3)} ${owner} ${size.padStart(8)} ${time} ${printable(member.name)}${target}`;
}

function formatMode(mode: number): string {
  const letters = [...PERMISSIONS].map((letter, place) => ((mode >> (8 - place)) & 1 ? letter : "-"));
  for (const { bit, place, set, unset } of SPECIAL_BITS) {
    if (mode & bit) letters[place] = letters[place] === "x" ? set : unset;
  }
  return `${TYPE_LETTERS.get(mode & TYPE_MASK) ?? "?"}${letters.join("")}`;
}
