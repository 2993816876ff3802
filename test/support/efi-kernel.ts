import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedPackages } from "./debian-packages.ts";

/** systemd's stub, as systemd-boot-efi installs it. */
export const STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/** The directory with systemd's programs for UEFI of AArch64: linuxaa64.efi.stub, systemd-bootaa64.efi. */
export async function armEfiPrograms(): Promise<string> {
  return join(await unpackedPackages(["systemd-boot-efi"], "arm64"), "root/usr/lib/systemd/boot/efi");
}

/** What a unified kernel image needs of a kernel: it is a program for EFI, and has its version where Documentation/arch/x86/boot.rst says. */
export function efiKernel(version: string): Buffer {
  const kernel = readFileSync(STUB);
  kernel.write("HdrS", 0x202);
  kernel.write(`${version} (builder) #1\0`, 0x300);
  kernel.writeUInt16LE(0x300 - 0x200, 0x20e);
  return kernel;
}
