import { readText } from "../../devices/block-devices.ts";
import type { Machine } from "../../machine/machine.ts";
import { splitParameter } from "../../parameters/read-parameters.ts";
import { makePlan } from "../../plan/make-plan.ts";
import { findUnknownParameters } from "../../plan/warnings.ts";
import { BootError } from "../../problems/errors.ts";
import { RETRY_FILE, SHELL_PID_FILE } from "../shell.ts";

/** `levain retry [PARAMETER…]`: leaves the parameters for the boot and ends the rescue shell, whereupon the boot goes on where it stopped. Throws BootError for parameters that are none or mistaken: the shell stays then. */
export function retryBoot(machine: Machine, parameters: readonly string[]): void {
  const pid = machine.stat(SHELL_PID_FILE) === null ? Number.NaN : Number(readText(machine, SHELL_PID_FILE));
  if (!Number.isInteger(pid) || pid < 2) {
    throw new BootError("there is no stopped boot to go on with", {
      hint: "`levain retry` is for the rescue shell of an initramfs; `levain status` tells how the boot went",
    });
  }
  checkParameters(parameters);
  machine.writeFile(RETRY_FILE, JSON.stringify(parameters));
  machine.hangUp(pid);
}

/** Now, while the person can still read what is wrong and type it again. */
function checkParameters(parameters: readonly string[]): void {
  makePlan({ cmdline: "", manifest: null, added: parameters });
  const strangers = findUnknownParameters([{ origin: "levain retry", words: parameters.map(splitParameter) }]);
  if (strangers.length === 0) return;
  throw new BootError("that is no parameter of levain", {
    seen: strangers.map((unknown) => `${unknown} is not a parameter of levain`),
    hint: "as on the kernel's command line, root=LABEL=NAME; see: levain help parameters",
  });
}
