import type { Bus } from "../../src/desk/qemu/disk-devices.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// A disk gets the next free letter, whichever driver is first.
const NODES: readonly (readonly [Bus, string])[] = [
  ["ahci", "/dev/sd[ab]"],
  ["scsi", "/dev/sd[ab]"],
  ["sd", "/dev/mmcblk0"],
];

vmTest(
  "a root on ahci, scsi, sd, and on an nvme that is plugged in later gets its driver on a kernel that has none built in",
  async () => {
    const disk = async (bus: Bus) => ({ file: await rootImage("ext4", { label: bus }), bus, id: `disk-${bus}` });
    return levainGuest({
      image: { kernel: "full" },
      disks: [...(await Promise.all(NODES.map(([bus]) => disk(bus)))), { ...(await disk("nvme")), unplugged: true }],
      cmdline: "root=LABEL=ahci init=/none rd.timeout=900",
      memoryMib: 768,
    });
  },
  async (vm) => {
    for (const [index, [bus, node]] of NODES.entries()) {
      if (index > 0) vm.send(`levain retry root=LABEL=${bus}\n`);
      await vm.expect(new RegExp(`^ {2}root +${node} ext4 "${bus}" +\\d+ ms$`, "m"));
      await vm.expect("the root's init /none cannot be started");
      await vm.expect(PROMPT);
    }
    // Its controller asks for a driver that nothing has asked for before.
    vm.send("levain retry root=LABEL=nvme init=/sbin/init\n");
    await vm.expect("waiting for LABEL=nvme");
    await vm.plug("disk-nvme");
    await vm.expect(/^ {2}root +\/dev\/nvme0n1 ext4 "nvme" +\d+ ms$/m);
    await vm.expect("small-root: mount / ext4 /dev/nvme0n1 ro,");
    await vm.expect("small-root: ready");
  },
);
