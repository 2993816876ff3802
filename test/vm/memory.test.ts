import { flashStick } from "../support/disk-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "320 MiB of memory are enough for a stick with an image and an overlay",
  async () =>
    levainGuest({
      disks: [await flashStick()],
      cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.live.ram",
      image: { compress: "lz4" },
      memoryMib: 320,
    }),
  async (vm) => {
    await vm.expect(/layers +\/newroot\.sfs \(squashfs, in RAM\) \+ tmpfs at \/sysroot/);
    await vm.expect("small-root: mount / overlay overlay rw,");
    await vm.expect("small-root: ready");
    vm.send('free -m | awk \'/^Mem/ { print ($7 > 100 ? "given" : "taken") "-back" }\'\n');
    await vm.expect("given-back");
  },
);
