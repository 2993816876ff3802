import { keyFile } from "../support/encrypted-volumes.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { LVM_LUKS_UUID, lvmDisks } from "../support/lvm-disks.ts";
import { vmTest } from "../support/vm-test.ts";

const image = async () => ({ files: { "/etc/key": await keyFile() } });

vmTest(
  "LVM in LUKS is the root, and a volume beside it with LUKS stays closed",
  async () =>
    levainGuest({
      disks: [...(await lvmDisks("INSIDE")), ...(await lvmDisks("ABOVE"))],
      cmdline: `root=/dev/crypted/root rd.luks.uuid=${LVM_LUKS_UUID.below} rd.luks.key=/etc/key`,
      image: await image(),
    }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/crypted-root ext4 "INSIDE"/m);
    await vm.expect("small-root: ready");
    vm.send("cat /sys/block/dm-*/dm/name | sort | tr '\\n' ' '; echo all-$((40 + 2))\n");
    await vm.expect(`crypted-root luks-${LVM_LUKS_UUID.below} all-42`);
  },
);

vmTest(
  "LUKS in LVM is the root",
  async () =>
    levainGuest({
      disks: await lvmDisks("ABOVE"),
      cmdline: `root=/dev/mapper/inner rd.luks.name=${LVM_LUKS_UUID.above}=inner rd.luks.key=/etc/key`,
      image: await image(),
    }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/inner ext4 "ABOVE"/m);
    await vm.expect("small-root: ready");
  },
);
