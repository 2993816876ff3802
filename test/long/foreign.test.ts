import { foreignImage } from "../support/foreign-images.ts";
import { graftTest } from "../support/grafted-guest.ts";

// vm/foreign.test.ts has the same with a few modules, which its fixtures are made of in a third of the time.
for (const tool of ["initramfs-tools for any machine", "dracut for any machine"] as const)
  graftTest(tool, () => foreignImage(tool));
