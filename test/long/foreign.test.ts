import { foreignImage } from "../support/foreign-images.ts";
import { graftedGuest, graftTest } from "../support/grafted-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// vm/foreign.test.ts has the same with a few modules, which its fixtures are made of in a third of the time.
for (const tool of ["initramfs-tools for any machine", "dracut for any machine"] as const)
  graftTest(tool, () => foreignImage(tool));

vmTest(
  "the image of tiny-initramfs, which has its modules in / and no shell, boots the root disk with only the init exchanged",
  async () => graftedGuest(await foreignImage("tiny-initramfs"), ""),
  async (vm) => {
    await vm.expect("small-root: mount / ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
  },
);
