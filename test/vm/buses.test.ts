import { expect } from "bun:test";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { busyboxEntries, packDirectory, writeTree } from "../support/initramfs.ts";
import { debianKernel } from "../support/kernels.ts";
import type { Bus } from "../support/qemu-arguments.ts";
import { vmTest } from "../support/vm-test.ts";

const BUSES: readonly Bus[] = ["virtio", "scsi", "nvme", "ahci", "ide", "usb", "ehci", "cdrom", "sd"];
const DRIVERS = ["ata", "scsi", "cdrom", "usb", "mmc", "virtio", "block", "nvme"];

const INIT = `
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for round in 1 2 3; do
  find /sys/devices -name modalias | while read -r file; do cat "$file"; done | sort -u | while read -r alias; do
    modprobe -q "$alias" 2>/dev/null
  done
  modprobe -q -a sd_mod sr_mod mmc_block usb_storage 2>/dev/null
  for second in 1 2; do
    if [ $(ls /sys/block | grep -Evc "loop|ram") -ge ${BUSES.length} ]; then break 2; fi
    sleep 1
  done
done
for disk in /sys/block/*; do
  echo "found $(dd if=/dev/\${disk##*/} bs=16 count=1 2>/dev/null) as $(readlink -f "$disk")"
done
echo all told
`;

// A kernel with every driver, its storage drivers, and BusyBox's modprobe for whatever the hardware says it is.
async function everyDriverInitramfs(): Promise<string> {
  const { modulesDir, version } = await debianKernel("full");
  const tree = scratchDirectory();
  writeTree(tree, busyboxEntries(INIT));
  const target = join(tree, "lib/modules", version);
  for (const directory of [
    ...DRIVERS.map((name) => `kernel/drivers/${name}`),
    "kernel/lib",
    "kernel/crypto",
    "kernel/block",
  ]) {
    mkdirSync(join(target, directory), { recursive: true });
    if (existsSync(join(modulesDir, directory)))
      cpSync(join(modulesDir, directory), join(target, directory), { recursive: true });
  }
  for (const file of ["modules.dep", "modules.alias", "modules.builtin"])
    cpSync(join(modulesDir, file), join(target, file));
  return packDirectory(tree);
}

function disk(bus: Bus): string {
  const file = join(scratchDirectory(), bus);
  writeFileSync(file, `bus-${bus}`.padEnd(16) + "\0".repeat(1048560));
  return file;
}

vmTest(
  "Debian's full kernel sees a disk on every bus",
  async () => ({
    kernel: "full",
    initrd: await everyDriverInitramfs(),
    cmdline: "quiet",
    disks: BUSES.map((bus) => ({ bus, file: disk(bus), readOnly: bus === "cdrom" })),
  }),
  async (vm) => {
    await vm.expect("all told", 110_000);
    for (const bus of BUSES) expect(vm.log()).toContain(`found bus-${bus} `);
  },
);
