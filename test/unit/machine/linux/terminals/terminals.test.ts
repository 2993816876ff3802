import { describe, test } from "bun:test";
import { createLinuxMachine } from "../../../../../src/machine/linux/linux.ts";
import { LINUX_TERMINAL_CASES } from "../../../../contract/linux-terminals.ts";

// The guest of the contract needs minutes; these rules hold on any Linux with /dev/pts.
describe("the terminals of this Linux", () => {
  const machine = createLinuxMachine();
  const hands = { pullOut: () => undefined, overflowEvents: () => undefined };
  for (const { name, check } of LINUX_TERMINAL_CASES) test(name, () => check(machine, "", hands));
});
