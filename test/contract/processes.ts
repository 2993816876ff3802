import { deepEqual, equal, ok } from "node:assert/strict";
import { type ContractCase, FIXTURES, refuses } from "./case.ts";

export const PROCESS_CASES: readonly ContractCase[] = [
  {
    name: "a program's status and captured output come back, cut at 64 KiB",
    check(machine) {
      const { busybox } = FIXTURES;
      deepEqual(machine.run([busybox, "false"], { capture: true }), { status: 1, output: "" });
      deepEqual(machine.run([busybox, "echo", "one two"], { capture: true }), { status: 0, output: "one two\n" });
      equal(machine.run([busybox, "seq", "20000"], { capture: true }).output.length, 65536);
      equal(machine.run([busybox, "cat"], { capture: true, input: "to read\n" }).output, "to read\n");
      const environment = machine.run([busybox, "env"], { capture: true, environment: { NAME: "value" } }).output;
      ok(environment.split("\n").includes("NAME=value"));
    },
  },
  {
    name: "a program that is missing is ENOENT, one that may not be run EACCES",
    check(machine, directory) {
      machine.writeFile(`${directory}/file`, "text");
      refuses("ENOENT", () => machine.run([`${directory}/none`]));
      refuses("EACCES", () => machine.run([`${directory}/file`]));
      refuses("EACCES", () => machine.run([directory]));
      refuses("ENOENT", () =>
        machine.runOnTerminal([FIXTURES.busybox, "true"], `${directory}/tty`, {}, () => undefined),
      );
    },
  },
  {
    name: "a program on a terminal tells its process id, and its status comes back",
    check(machine) {
      const pids: number[] = [];
      equal(
        machine.runOnTerminal([FIXTURES.busybox, "false"], FIXTURES.serial, {}, (pid) => pids.push(pid)),
        1,
      );
      ok(pids.length === 1 && (pids[0] ?? 0) > 1);
    },
  },
  {
    name: "hanging up a process that is gone is no error, and nobody hangs up the init or a group",
    check(machine) {
      machine.hangUp(4_000_000);
      for (const pid of [1, 0, -1, Number.NaN]) refuses("EINVAL", () => machine.hangUp(pid));
    },
  },
  {
    name: "the clock goes on by what is slept, and never back",
    check(machine) {
      const startMs = machine.nowMs();
      ok(startMs > 0);
      machine.sleepMs(20);
      machine.sleepMs(-1);
      const sleptMs = machine.nowMs() - startMs;
      ok(sleptMs >= 20 && sleptMs < 20_000, `${sleptMs} ms`);
    },
  },
];
