import { describe, expect, test } from "bun:test";
import { chooseLoaders, type Host } from "../../../../src/desk/usb/parts/loaders.ts";
import { findKernel } from "../../../../src/desk/usb/root/kernel-files.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { refusalOf } from "../../../support/refusal.ts";

const EVERYTHING: Host = {
  isFile: () => true,
  isDirectory: () => true,
  haveTool: (tool) => `/usr/bin/${tool}`,
  architecture: "x86_64",
};
const ARM: Host = { ...EVERYTHING, architecture: "aarch64" };

describe("the boot loaders of a stick are those of the host's architecture", () => {
  test("systemd-boot and GRUB", () => {
    const directory = "/usr/lib/systemd/boot/efi";
    const none = { efi: null, bios: "none" };
    expect(chooseLoaders(none, EVERYTHING).efi).toEqual({
      name: "systemd-boot",
      file: `${directory}/systemd-bootx64.efi`,
    });
    expect(chooseLoaders(none, ARM).efi).toEqual({ name: "systemd-boot", file: `${directory}/systemd-bootaa64.efi` });
    const grub = { efi: "grub", bios: null };
    expect(chooseLoaders(grub, ARM)).toEqual({ efi: { name: "grub", modules: "/usr/lib/grub/arm64-efi" }, bios: null });
    const missing = { ...ARM, isDirectory: () => false };
    expect(refusalOf(() => chooseLoaders(grub, missing)).join("\n")).toContain("apt install grub-efi-arm64-bin");
  });

  test("AArch64 machines have no BIOS", () => {
    expect(chooseLoaders({ efi: null, bios: "none" }, ARM).bios).toBeNull();
    expect(() => chooseLoaders({ efi: null, bios: "syslinux" }, ARM)).toThrow("machines of aarch64 have no BIOS");
    expect(() => chooseLoaders({ efi: "none", bios: null }, ARM)).toThrow("leave no boot loader");
  });

  test("they start no kernel of another architecture", () => {
    const image = Buffer.alloc(64);
    image.write("ARMd", 56);
    const machine = fakeMachine({ files: { "/boot/Image": image } });
    const request = { kernel: "none", modulesDir: null, vmlinuz: "/boot/Image" };
    expect(refusalOf(() => findKernel(machine, { directory: "/root" }, request))).toEqual([
      "the kernel /boot/Image is for aarch64, and the boot loaders of the stick for x86_64",
      "hint: make the stick on a machine of aarch64",
    ]);
  });
});
