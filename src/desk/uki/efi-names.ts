import type { Architecture } from "../qemu/machines.ts";

/** What the UEFI programs of an architecture are called. */
export interface EfiNames {
  /** What firmware starts from a medium without a boot entry (UEFI 2.10, 3.5.1.1). */
  readonly program: string;
  readonly stub: string;
  readonly systemdBoot: string;
  /** GRUB's name of the platform, and Debian's package. */
  readonly grub: string;
  readonly grubPackage: string;
}

/** THE table of what UEFI programs are called by architecture. */
export const EFI_NAMES: Readonly<Record<Architecture, EfiNames>> = {
  x86_64: {
    program: "BOOTX64.EFI",
    stub: "linuxx64.efi.stub",
    systemdBoot: "systemd-bootx64.efi",
    grub: "x86_64-efi",
    grubPackage: "grub-efi-amd64-bin",
  },
  aarch64: {
    program: "BOOTAA64.EFI",
    stub: "linuxaa64.efi.stub",
    systemdBoot: "systemd-bootaa64.efi",
    grub: "arm64-efi",
    grubPackage: "grub-efi-arm64-bin",
  },
};

/** Where systemd installs its programs for UEFI. */
export const SYSTEMD_EFI = "/usr/lib/systemd/boot/efi";
