import { levainGuest } from "../support/levain-guest.ts";
import { type LvmLabel, lvmDisks } from "../support/lvm-disks.ts";
import { vmTest } from "../support/vm-test.ts";

const guest = async (label: LvmLabel, cmdline: string) => levainGuest({ disks: await lvmDisks(label), cmdline });

vmTest(
  "a root in a logical volume over two disks is activated alone, with LVM's names",
  () => guest("LINEAR", "root=/dev/my-vg/root rw"),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/my--vg-root ext4 "LINEAR"/m);
    await vm.expect("small-root: ready");
    vm.send(
      "readlink /dev/my-vg/root; touch /x && sync; cat /sys/block/dm-*/dm/name; cut -c1-4 /sys/block/dm-0/dm/uuid; echo all-$((40 + 2))\n",
    );
    await vm.expect("\n../dm-0\nmy--vg-root\nLVM-\nall-42");
  },
);
