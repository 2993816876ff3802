import type { Context } from "../../../drivers/context.ts";
import type { ArrayMember } from "../../../formats/containers/md-member.ts";
import type { Machine } from "../../../machine/machine.ts";
import { listOrNone } from "../../../machine/small-files.ts";
import { orIfRefused, tolerateRefusal } from "../../../problems/errors.ts";
import { liesOnStick } from "../../trust.ts";

/** The number from which mdadm counts down for an array without one. */
const FIRST_FREE = 127;

/** Returns the kernel's name for an array, as mdadm chooses it: the number in the name that a parameter gives, else its own number if that is free, else the next free one from 127 down. */
export function chooseName(machine: Machine, member: ArrayMember, given: string | null): string {
  const isFree = (number: number) => machine.stat(`/sys/class/block/md${number}`) === null;
  const asked = numberIn(/^md(\d+)$/.exec(given ?? "")?.[1] ?? "");
  const own = asked ?? member.minor ?? numberIn(shortName(member));
  if (own !== null && own <= MOST_NUMBER && isFree(own)) return `md${own}`;
  let number = FIRST_FREE;
  while (number > 0 && !isFree(number)) number--;
  return `md${number}`;
}

/** Minor numbers have 20 bits. */
const MOST_NUMBER = 2 ** 20 - 1;

/** The name without the host that made the array. */
function shortName({ name }: ArrayMember): string {
  return name.slice(name.indexOf(":") + 1);
}

function numberIn(name: string): number | null {
  return /^\d{1,7}$/.test(name) ? Number(name) : null;
}

/**
 * Makes the link /dev/md/NAME of an array that a parameter names, as mdadm does for a line of mdadm.conf; of any other the links with
 * and without the host, as mdadm names arrays of other hosts and its own. A name that is no file name gets none.
 */
export function linkArray(
  { machine, undo }: Pick<Context, "machine" | "undo">,
  device: string,
  member: ArrayMember,
  given: string | null,
): void {
  // A number is the device itself.
  const isNamed = given !== null && !/^md\d+$/.test(given);
  const names = isNamed ? [given] : [...new Set([shortName(member), member.name])];
  for (const name of names.filter((one) => /^[\w+.@:-]+$/.test(one) && one !== "." && one !== "..")) {
    tolerateRefusal(() => {
      const link = `/dev/md/${name}`;
      machine.makeDirectory("/dev/md");
      if (machine.lstat(link) !== null) {
        const other = machine.readLink(link).slice("../".length);
        if (!liesOnStick(machine, other) || liesOnStick(machine, device)) return;
        machine.removeFile(link);
      }
      machine.makeSymlink(`../${device}`, link);
      undo(() => machine.removeFile(link));
    });
  }
}

/** Removes the links to an array that was stopped: its number may be given to another one. */
export function unlinkArray(machine: Machine, device: string): void {
  for (const name of listOrNone(machine, "/dev/md")) {
    const link = `/dev/md/${name}`;
    if (orIfRefused(() => machine.readLink(link), "") === `../${device}`) machine.removeFile(link);
  }
}
