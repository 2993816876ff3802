import { expect } from "bun:test";
import { bcacheDisks } from "../support/bcache-disks.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { multipathFiles } from "../support/multipath-files.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "a root on bcache, whose backing device is reached over two paths, which multipath of the image combines",
  async () => {
    const { backing, cache } = await bcacheDisks();
    const path = { file: backing, bus: "scsi", wwn: 0x5000_c500_0000_0000 } as const;
    const image = { files: await multipathFiles() };
    return levainGuest({ disks: [path, path, cache], cmdline: "root=LABEL=CACHED rw", image });
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/bcache0 ext4 "CACHED" in \/dev\/mapper\/mpatha bcache/m);
    await vm.expect("small-root: mount / ext4 /dev/bcache0 rw");
    await vm.expect("small-root: ready");
    vm.send(
      "cat /new; cat /sys/block/bcache0/bcache/state; ls /sys/block/bcache0/slaves | tr '\\n' ' '; echo all-$((40 + 2))\n",
    );
    await vm.expect(/\nfresh\ndirty\ndm-0 vda all-42/);
    vm.send("ls /sys/block/dm-0/slaves | tr '\\n' ' '; cut -c1-6 /sys/block/dm-0/dm/uuid; echo paths-$((40 + 2))\n");
    await vm.expect(/\nsda sdb mpath-\npaths-42/);
    // Both would be registered, and the kernel refuses the second.
    expect(vm.log()).not.toContain("is not started");
  },
);
