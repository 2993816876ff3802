import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Architecture } from "../../src/desk/qemu/machines.ts";
import { EFI_NAMES, SYSTEMD_EFI } from "../../src/desk/uki/efi-names.ts";
import { unpackedPackages } from "./debian-packages.ts";
import { GUEST_ARCHITECTURE, TARGETS } from "./guest-architecture.ts";

/** systemd's stub, as systemd-boot-efi installs it. */
export const STUB = join(SYSTEMD_EFI, EFI_NAMES.x86_64.stub);

/** The directory with systemd's programs for UEFI of an architecture: the stub and systemd-boot. */
export async function efiPrograms(architecture: Architecture = GUEST_ARCHITECTURE): Promise<string> {
  if (architecture === "x86_64") return SYSTEMD_EFI;
  return join(await unpackedPackages(["systemd-boot-efi"], TARGETS[architecture].suite), "root", SYSTEMD_EFI);
}

/** What a unified kernel image needs of a kernel: it is a program for EFI, and has its version where Documentation/arch/x86/boot.rst says. */
export function efiKernel(version: string): Buffer {
  const kernel = readFileSync(STUB);
  kernel.write("HdrS", 0x202);
  kernel.write(`${version} (builder) #1\0`, 0x300);
  kernel.writeUInt16LE(0x300 - 0x200, 0x20e);
  return kernel;
}
