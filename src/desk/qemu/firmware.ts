import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { attempt, isFile } from "../host.ts";
import { SPACE_HINT } from "../temporary.ts";

/** The UEFI firmware for QEMU and its empty variables, as Debian, Arch and Fedora have them. */
const PLACES: readonly (readonly [code: string, variables: string])[] = [
  ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
  ["/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"],
  ["/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"],
];

/** Returns the UEFI firmware of this host, with a copy of its variables in `directory`. Throws BootError. */
export function provideUefi(directory: string): { readonly code: string; readonly variables: string } {
  const found = PLACES.find((files) => files.every(isFile));
  if (found === undefined) {
    throw new BootError("cannot start a guest with UEFI: this host has no OVMF", {
      hint: "install it (Debian: apt install ovmf), or leave out --uefi",
    });
  }
  const variables = join(directory, "variables.fd");
  attempt("cannot copy the variables of the firmware", () => copyFileSync(found[1], variables), SPACE_HINT, variables);
  chmodSync(variables, 0o600);
  return { code: found[0], variables };
}
