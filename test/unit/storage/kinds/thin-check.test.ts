import { expect, test } from "bun:test";
import { report } from "../../../../src/problems/report.ts";
import { checkThinPool } from "../../../../src/storage/kinds/lvm/thin-check.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";

const words = [{ mapping: "vg0-pool_tmeta" }, { mapping: "vg0-pool_tdata" }, "128", "0", "0"];
const POOL = { name: "vg0-pool-tpool", targets: [{ startSector: 0, sectors: 2048, type: "thin-pool", words }] };
const OTHER = { name: "vg0-root", targets: [{ startSector: 0, sectors: 2048, type: "linear", words: ["8:0", "0"] }] };
const PROGRAM = { "/usr/sbin/thin_check": { data: "x", mode: 0o755 } };

function check(
  pool: typeof POOL | typeof OTHER,
  status: number,
  files: Readonly<Record<string, (typeof PROGRAM)[keyof typeof PROGRAM]>> = PROGRAM,
) {
  const programs = { "/usr/sbin/thin_check": () => ({ status, output: "bad checksum in superblock\n" }) };
  const machine = fakeMachine({ files, programs });
  try {
    checkThinPool({ machine }, pool);
    return { machine, lines: [] };
  } catch (error) {
    return { machine, lines: report(error) };
  }
}

test("the metadata of a thin pool are checked before it is activated, with the options of lvm2", () => {
  const { machine, lines } = check(POOL, 0);
  expect(lines).toEqual([]);
  expect(machine.journal).toContain("run /usr/sbin/thin_check -q --clear-needs-check-flag /dev/mapper/vg0-pool_tmeta");
});

test("a damaged pool is not activated, and the report says what the program said", () => {
  expect(check(POOL, 1).lines.join(" ")).toContain(
    "the thin pool vg0-pool-tpool is not activated: /usr/sbin/thin_check ended with status 1: bad checksum in superblock",
  );
});

test("without the program, and for other devices, nothing is checked", () => {
  for (const { lines, machine } of [check(POOL, 1, {}), check(OTHER, 1)]) {
    expect(lines).toEqual([]);
    expect(machine.journal.filter((line) => line.startsWith("run "))).toEqual([]);
  }
});
