import { isOffered, type KernelFlavour } from "../support/kernels.ts";
import { SCENARIOS, type ScenarioName } from "../support/reach/scenarios.ts";
import { vmTest } from "../support/vm-test.ts";

// One boot of each kernel of another release; the other files boot those of Debian 12. `make reach` boots all scenarios on all.
const BOOTS: readonly (readonly [KernelFlavour, ScenarioName])[] = [
  ["bullseye", "LUKS2, Argon2id"],
  ["bullseye-full", "squashfs, overlay"],
  ["trixie", "rescue shell, retry"],
  ["trixie-full", "ext4 by UUID"],
  ["sid", "LUKS2, Argon2id"],
  ["sid-full", "RAID 1"],
];

for (const [kernel, name] of BOOTS) {
  if (!(await isOffered(kernel))) continue;
  const { guest, body } = SCENARIOS[name];
  vmTest(`the kernel "${kernel}": ${name}`, () => guest(kernel), body);
}
