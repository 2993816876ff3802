// Makes what waits for Debian's servers, and what many guests wait for, before they do. test/run.ts starts it with the tests that
// need no guest. A fixture that fails here fails again in the test that needs it, which then says why.
import "./test-programs.ts";
import { debianRoot } from "./debian-root.ts";
import { debianKernel, isOffered, KERNEL_FLAVOURS } from "./kernels.ts";

await debianKernel("cloud");
await debianKernel("full");
await debianKernel("cloud", "aarch64");
await debianKernel("full", "aarch64");
await debianRoot();
for (const flavour of KERNEL_FLAVOURS) await isOffered(flavour);
