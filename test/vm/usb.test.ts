import { usbStick } from "../support/usb/stick.ts";
import { vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
// Firmware and boot loaders are slow in an emulated machine.
const LOADER_MS = 240_000;
const LIMITS = { kernel: null, memoryMib: 768, timeoutMs: 300_000 } as const;

let made: ReturnType<typeof usbStick> | null = null;

/** One image for both kinds of firmware. */
function stick() {
  made ??= usbStick("--persist", "16M");
  return made;
}

for (const [firmware, extra] of [
  ["BIOS and syslinux", []],
  ["EFI and systemd-boot", ["-bios", OVMF]],
] as const) {
  vmTest(
    `a stick of levain usb boots by ${firmware}, and keeps its changes`,
    async () => ({ ...LIMITS, disks: [{ file: (await stick()).disk, bus: "usb" }], extra }),
    async (vm) => {
      await vm.expect(/^ {2}root +\/dev\/sda2 squashfs/m, LOADER_MS);
      await vm.expect(/small-root: mount \S+ ext4 \/dev\/sda3 rw/);
      await vm.expect("small-root: mount / overlay overlay rw,");
      await vm.expect("small-root: ready");
    },
  );
}
