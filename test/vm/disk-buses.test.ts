import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { Bus } from "../support/qemu-arguments.ts";
import { vmTest } from "../support/vm-test.ts";

const NODES: readonly (readonly [Bus, string])[] = [
  ["nvme", "/dev/nvme0n1"],
  ["ahci", "/dev/sda"],
  ["scsi", "/dev/sda"],
  ["sd", "/dev/mmcblk0"],
];

for (const [bus, node] of NODES) {
  vmTest(
    `a root on ${bus} gets its driver on a kernel that has none built in`,
    async () =>
      levainGuest({
        image: { kernel: "full" },
        disks: [{ file: await rootImage("ext4", { label: "ROOT" }), bus }],
        cmdline: "root=LABEL=ROOT",
        memoryMib: 768,
      }),
    async (vm) => {
      await vm.expect(new RegExp(`^ {2}root +${node} ext4 "ROOT" +\\d+ ms$`, "m"));
      await vm.expect(`small-root: mount / ext4 ${node} ro,`);
      await vm.expect("small-root: ready");
    },
  );
}
