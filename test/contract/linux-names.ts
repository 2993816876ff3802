import { equal } from "node:assert/strict";
import { type ContractCase, FIXTURES } from "./case.ts";

/** What the kernel and this machine are called. */
export const LINUX_NAME_CASES: readonly ContractCase[] = [
  {
    name: "the release and the machine are those of uname",
    check(machine) {
      const { release, machine: name } = machine.release();
      const { output } = machine.run([FIXTURES.busybox, "uname", "-rm"], { capture: true });
      equal(output, `${release} ${name}\n`);
    },
  },
];
