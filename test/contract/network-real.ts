// Runs the cases on the kernel, in the network namespace of this process, and prints the name of each that holds.
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { NETWORK_CASES } from "./network-cases.ts";

const machine = createLinuxMachine();
for (const [name, act] of Object.entries(NETWORK_CASES)) {
  act(machine);
  console.log(name);
}
