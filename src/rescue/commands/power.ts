import { readMounts } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { tolerateRefusal } from "../../problems/errors.ts";

/** Ends the machine from the rescue shell: what a person has mounted from a disk is unmounted first. Throws SyscallError. */
export function switchPower(machine: Machine, action: "reboot" | "poweroff"): void {
  for (const { source, target } of readMounts(machine).toReversed()) {
    if (!source.startsWith("/dev/")) continue;
    // One that is in use is at least written to its disk.
    tolerateRefusal(() => machine.syncFilesystem(target));
    tolerateRefusal(() => machine.unmount(target));
  }
  machine.power(action);
}
