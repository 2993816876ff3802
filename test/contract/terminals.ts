import { deepEqual, ok } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { type ContractCase, FIXTURES, makeMedium } from "./case.ts";

const SERIAL = FIXTURES.serial;

/** Terminals that are listened to, as far as no hand is needed to type. */
export const TERMINAL_CASES: readonly ContractCase[] = [
  {
    name: "what is no terminal cannot be opened as one, and neither can what is not there",
    check(machine) {
      deepEqual(machine.openTerminals(["/dev/none", "/dev/null", SERIAL]), [SERIAL]);
      deepEqual(machine.openTerminals([SERIAL]), [SERIAL]);
      machine.closeTerminals();
      machine.closeTerminals();
    },
  },
  {
    name: "waiting for somebody who types takes the time given and no more",
    check(machine) {
      takeEvents(machine);
      machine.openTerminals([SERIAL]);
      const startMs = machine.nowMs();
      deepEqual(machine.readTerminals(60), { kind: "timeout" });
      const waitedMs = machine.nowMs() - startMs;
      ok(waitedMs >= 60 && waitedMs < 1000, `${waitedMs} ms`);
      deepEqual(machine.readTerminals(0), { kind: "timeout" });
      machine.closeTerminals();
    },
  },
  {
    name: "a uevent ends the wait for somebody who types, every time until it is taken, unless only typing counts",
    check(machine, directory) {
      takeEvents(machine);
      machine.openTerminals([SERIAL]);
      machine.detachLoop(machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true }));
      deepEqual(machine.readTerminals(5000), { kind: "device" });
      deepEqual(machine.readTerminals(null), { kind: "device" });
      deepEqual(machine.readTerminals(10, "typing"), { kind: "timeout" });
      takeEvents(machine);
      deepEqual(machine.readTerminals(10), { kind: "timeout" });
      machine.closeTerminals();
    },
  },
  {
    name: "text for a terminal that is not open goes nowhere, nor does text for one that does not exist",
    check(machine) {
      machine.writeConsole("nobody can read this\n", "/dev/none");
      machine.writeTerminal(SERIAL, "nobody shall read this\n");
      machine.writeTerminal("/dev/none", "nobody shall read this\n");
    },
  },
];

function takeEvents(machine: Machine): void {
  machine.listenForDevices();
  while (machine.nextDeviceEvent(100) !== null);
}
