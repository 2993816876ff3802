import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { attempt, isFile } from "../host.ts";
import { SPACE_HINT } from "../temporary.ts";
import type { Architecture } from "./machines.ts";

type Places = readonly (readonly [code: string, variables: string])[];

/** The UEFI firmware for QEMU and its empty variables, as Debian, Arch and Fedora have them, and Debian's package. */
const FIRMWARE: Readonly<Record<Architecture, { readonly places: Places; readonly packageName: string }>> = {
  x86_64: {
    packageName: "ovmf",
    places: [
      ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
      ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
      ["/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"],
      ["/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"],
    ],
  },
  aarch64: {
    packageName: "qemu-efi-aarch64",
    places: [
      ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"],
      ["/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"],
      ["/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"],
    ],
  },
};

/** The files of UEFI firmware. */
export type Uefi = Readonly<Record<"code" | "variables", string>>;

/** Returns the UEFI firmware of this host for guests, with a copy of its variables in `directory`. Throws BootError. */
export function provideUefi(directory: string, architecture: Architecture): Uefi {
  const { places, packageName } = FIRMWARE[architecture];
  const found = places.find((files) => files.every(isFile));
  if (found === undefined) {
    throw new BootError(`cannot start a guest with UEFI: this host has no firmware for ${architecture}`, {
      hint: `install it (Debian: apt install ${packageName}), or leave out --uefi`,
    });
  }
  const variables = join(directory, "variables.fd");
  attempt("cannot copy the variables of the firmware", () => copyFileSync(found[1], variables), SPACE_HINT, variables);
  chmodSync(variables, 0o600);
  return { code: found[0], variables };
}
