import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Bus } from "../support/qemu-arguments.ts";
import { vmTest } from "../support/vm-test.ts";

/** The NVMe disk is plugged in while it is waited for: its controller asks for a driver that nothing has asked for before. */
const NODES: readonly (readonly [Bus, string, "there" | "late"])[] = [
  ["nvme", "/dev/nvme0n1", "late"],
  ["ahci", "/dev/sda", "there"],
  ["scsi", "/dev/sda", "there"],
  ["sd", "/dev/mmcblk0", "there"],
];

for (const [bus, node, when] of NODES) {
  vmTest(
    `a root on ${bus} that is ${when} gets its driver on a kernel that has none built in`,
    async () =>
      levainGuest({
        image: { kernel: "full" },
        disks: [{ file: await rootImage("ext4", { label: "ROOT" }), bus, id: "root", unplugged: when === "late" }],
        cmdline: "root=LABEL=ROOT rd.timeout=900",
        memoryMib: 768,
      }),
    async (vm) => {
      if (when === "late") {
        await vm.expect("waiting for LABEL=ROOT");
        await vm.plug("root");
      }
      await vm.expect(new RegExp(`^ {2}root +${node} ext4 "ROOT" +\\d+ ms$`, "m"));
      await vm.expect(`small-root: mount / ext4 ${node} ro,`);
      await vm.expect("small-root: ready");
    },
  );
}
