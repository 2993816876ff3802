import type { ArrayMember } from "../../../formats/containers/md-member.ts";
import { printable } from "../../../problems/report.ts";
import type { ArrayState } from "./array.ts";

/** `the array "host:0" (RAID 1)`, safe to print. */
export function describeArray({ name, uuid, level }: ArrayMember): string {
  return `the array "${printable(name === "" ? uuid : name)}" (${level === -1 ? "linear" : `RAID ${level}`})`;
}

/** `1 of 2 members is present: member 1 is missing`. */
export function describeLack({ missing, total }: Pick<ArrayState, "missing" | "total">): string {
  const present = total - missing.length;
  const places = missing.slice(0, MOST_NAMED).join(", ");
  const more = missing.length > MOST_NAMED ? " and more" : "";
  const lack = missing.length === 1 ? `member ${places} is missing` : `members ${places}${more} are missing`;
  return `${present} of ${total} members ${present === 1 ? "is" : "are"} present: ${lack}`;
}

const MOST_NAMED = 8;
