import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { FIXTURES, loadModule } from "../contract/case.ts";
import { addHungDisk, changeHungDisk, HUNG } from "../contract/hung-disk.ts";

// The program of a guest that is killed while its disk, a mapping, does not answer and is mounted; the disk answers again 15 s later.
const machine = createLinuxMachine();
if (process.argv[2] === "answer") {
  changeHungDisk(machine, true);
  process.exit(0);
}
for (const directory of ["/sys", "/run/levain/hung"]) machine.makeDirectory(directory);
machine.mount({ source: "sysfs", target: "/sys", type: "sysfs", flags: [], options: "" });
for (const name of ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"]) {
  loadModule(machine, name);
}
for (const name of ["virtio_blk", "dm-mod"]) loadModule(machine, name);
const disk = addHungDisk(machine, false);
machine.mount({ source: HUNG, target: "/run/levain/hung", type: "ext4", flags: [], options: "" });
machine.writeFile("/run/levain/hung/new", "new");
disk.suspend();
machine.run([FIXTURES.busybox, "sh", "-c", "(/bin/busybox sleep 15; /init answer) &"]);
process.kill(process.pid, "SIGKILL");
