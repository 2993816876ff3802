import { BootError } from "../errors.ts";
import type { Machine } from "../machine/machine.ts";
import { RETRY_FILE, SHELL_PID_FILE } from "../rescue.ts";
import { readText } from "../steps/block-devices.ts";

/** `levain retry [PARAMETER…]`: leaves the parameters for the boot and ends the rescue shell, whereupon the boot goes on where it stopped. */
export function retryBoot(machine: Machine, parameters: readonly string[]): void {
  const pid = machine.stat(SHELL_PID_FILE) === null ? Number.NaN : Number(readText(machine, SHELL_PID_FILE));
  if (!Number.isInteger(pid) || pid < 2) {
    throw new BootError("there is no stopped boot to go on with", {
      hint: "`levain retry` is for the rescue shell of an initramfs; `levain status` tells how the boot went",
    });
  }
  machine.writeFile(RETRY_FILE, JSON.stringify(parameters));
  machine.hangUp(pid);
}
