import { equal, ok } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { readOne } from "../support/read-one.ts";
import { type ContractCase, FIXTURES } from "./case.ts";

/** A pipe without a writer cannot be opened until there is one: it is a device that does not answer. */
function makePipe(machine: Machine, path: string): void {
  equal(machine.run([FIXTURES.busybox, "mkfifo", path]).status, 0);
}

function openLater(machine: Machine, path: string): void {
  machine.run([FIXTURES.busybox, "sh", "-c", `(/bin/busybox usleep 300000; echo late > ${path}) &`], { capture: true });
}

const isDiskReadable = (machine: Machine): boolean => {
  const reader = machine.openAsyncReader(`/dev/${FIXTURES.disk}`);
  const bytes = readOne(reader, 1024 + 0x38, 2, 5000);
  reader.close();
  return Buffer.from(bytes ?? []).toString("hex") === "53ef";
};

/** How other processes make the calls that a device may hold up. */
export const LINUX_WORKER_CASES: readonly ContractCase[] = [
  {
    name: "what cannot be opened yet is waited for as long as was said, and others are read meanwhile",
    check(machine, directory) {
      makePipe(machine, `${directory}/pipe`);
      const readers = Array.from({ length: 5 }, () => machine.openAsyncReader(`${directory}/pipe`));
      for (const reader of readers) {
        const startMs = machine.nowMs();
        equal(reader.size(50), null);
        const waitedMs = machine.nowMs() - startMs;
        ok(waitedMs >= 49 && waitedMs < 2000, `${waitedMs} ms`);
        equal(reader.size(0), null);
        ok(isDiskReadable(machine));
      }
      const startMs = machine.nowMs();
      for (const reader of readers) reader.close();
      ok(machine.nowMs() - startMs < 2000);
      ok(isDiskReadable(machine));
    },
  },
  {
    name: "an answer ends the wait for uevents, and that of a terminal, until it is taken",
    check(machine, directory) {
      machine.listenForDevices();
      while (machine.nextDeviceEvent(200) !== null);
      makePipe(machine, `${directory}/pipe`);
      const reader = machine.openAsyncReader(`${directory}/pipe`);
      equal(reader.size(0), null);
      equal(machine.nextDeviceEvent(50), null);
      openLater(machine, `${directory}/pipe`);
      const startMs = machine.nowMs();
      equal(machine.nextDeviceEvent(20_000), null);
      ok(machine.nowMs() - startMs < 15_000);
      equal(machine.readTerminals(20_000).kind, "answer");
      equal(machine.readTerminals(0, "answer").kind, "answer");
      equal(machine.readTerminals(0, "typing").kind, "timeout");
      equal(reader.size(0), 0);
      equal(machine.readTerminals(10).kind, "timeout");
      reader.close();
    },
  },
  {
    name: "a file is read to its end by another process",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "text");
      const file = machine.openAsyncReader(`${directory}/file`);
      equal(file.size(5000), 4);
      equal(Buffer.from(readOne(file, 1, 100, 5000) ?? []).toString(), "ext");
      file.close();
    },
  },
  {
    name: "processes that make calls for this one end with it, and leave no zombies behind",
    check(machine, directory) {
      makePipe(machine, `${directory}/pipe`);
      for (let round = 0; round < 20; round++) {
        const reader = machine.openAsyncReader(`${directory}/pipe`);
        equal(reader.size(0), null);
        reader.close();
      }
      const script = "for stat in /proc/[0-9]*/stat; do /bin/busybox cat $stat; done 2>/dev/null";
      const states = machine.run([FIXTURES.busybox, "sh", "-c", script], { capture: true }).output;
      // proc(5): the state is followed by the process id of the parent. The last of them may not have ended yet.
      const zombies = states.split("\n").filter((line) => line.includes(`) Z ${process.pid} `));
      ok(zombies.length <= 5, states);
    },
  },
];
