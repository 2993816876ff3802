import { readFileSync } from "node:fs";

/** systemd's stub, as systemd-boot-efi installs it. */
export const STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/** What a unified kernel image needs of a kernel: it is a program for EFI, and has its version where Documentation/arch/x86/boot.rst says. */
export function efiKernel(version: string): Buffer {
  const kernel = readFileSync(STUB);
  kernel.write("HdrS", 0x202);
  kernel.write(`${version} (builder) #1\0`, 0x300);
  kernel.writeUInt16LE(0x300 - 0x200, 0x20e);
  return kernel;
}
