import type { Machine } from "../../machine/machine.ts";
import { unlessRefused } from "../../problems/errors.ts";

/** An empty file for each device that a typed passphrase has opened, so that `levain unlock` and the boot know of each other's. */
const TYPED = "/run/levain/typed";

/** Remembers that the user opened the device by typing. If that cannot be written, the device counts as opened by a key. */
export function rememberTyped(machine: Machine, name: string): void {
  unlessRefused(
    () => {
      machine.makeDirectory(TYPED);
      machine.writeFile(`${TYPED}/${name}`, "");
    },
    () => undefined,
  );
}

/** Forgets it, also for a device that dmsetup or stage0 has removed. Throws SyscallError. */
export function forgetTyped(machine: Machine, name: string): void {
  const mark = `${TYPED}/${name}`;
  if (machine.lstat(mark) !== null) machine.removeFile(mark);
}

/** True if a typed passphrase has opened the device. */
export function wasTyped(machine: Machine, name: string): boolean {
  return machine.stat(`${TYPED}/${name}`) !== null;
}
