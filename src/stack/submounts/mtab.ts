import type { Machine } from "../../machine/machine.ts";

/** As systemd-tmpfiles creates it. */
const TARGET = "../proc/self/mounts";

/** Links NAME/mtab to the kernel's table of mounts: programs of a system that keeps /etc/mtab as a file would read an old one. */
export function linkMtab(machine: Machine, directory: string): void {
  machine.makeSymlink(TARGET, `${directory}/mtab`);
}

/** True if /etc/mtab, seen in the directory `etc`, is no link: a table that mount(8) of old systems writes. */
export function isMtabStale(machine: Machine, etc: string): boolean {
  return machine.lstat(`${etc}/mtab`)?.kind !== "symlink";
}
