import { rootImage } from "../support/filesystem-images.ts";
import { floodedGuest } from "../support/flooded-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// A minute of CPU time: the second program needs as much of it as the boot leaves.
vmTest(
  "as many changes of an unrelated disk as the kernel can report do not hold up a boot",
  async () => floodedGuest(await rootImage("ext4", { label: "ROOT" }), 0, "root=LABEL=ROOT"),
  async (vm) => {
    await vm.expect(/root +\/dev\/vda ext4 "ROOT"/);
    await vm.expect("small-root: ready");
  },
);
