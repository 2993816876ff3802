import { expect, test } from "bun:test";
import { report } from "../../../../src/problems/report.ts";
import type { Voice } from "../../../../src/problems/voice.ts";
import { checkThinPool } from "../../../../src/storage/kinds/lvm/thin-check.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import type { FakeEnd, FakePrograms } from "../../../support/fake-processes.ts";

const words = [{ mapping: "vg0-pool_tmeta" }, { mapping: "vg0-pool_tdata" }, "128", "0", "0"];
const POOL = { name: "vg0-pool-tpool", targets: [{ startSector: 0, sectors: 2048, type: "thin-pool", words }] };
const OTHER = { name: "vg0-root", targets: [{ startSector: 0, sectors: 2048, type: "linear", words: ["8:0", "0"] }] };
const PROGRAM = { "/usr/sbin/thin_check": { data: "x", mode: 0o755 } };

function check(
  pool: typeof POOL | typeof OTHER,
  { status = 0, tookMs = 0 }: FakeEnd,
  files: Readonly<Record<string, (typeof PROGRAM)[keyof typeof PROGRAM]>> = PROGRAM,
) {
  const runs: string[] = [];
  const said: string[] = [];
  const programs: FakePrograms = {
    "/usr/sbin/thin_check": ({ argv }) => {
      runs.push(argv.join(" "));
      return { status, tookMs, output: "bad checksum in superblock\n" };
    },
  };
  const machine = fakeMachine({ files, programs });
  const startMs = machine.nowMs();
  const voice: Voice = { warn: () => undefined, debug: () => undefined, progress: (text) => void said.push(text) };
  const ended = (lines: readonly string[]) => ({ runs, said, lines, tookMs: machine.nowMs() - startMs });
  try {
    checkThinPool({ machine, voice }, pool);
    return ended([]);
  } catch (error) {
    return ended(report(error));
  }
}

test("the metadata of a thin pool are checked before it is activated, with the options of lvm2", () => {
  const { runs, lines } = check(POOL, {});
  expect(lines).toEqual([]);
  expect(runs).toEqual(["/usr/sbin/thin_check -q --clear-needs-check-flag /dev/mapper/vg0-pool_tmeta"]);
});

test("a damaged pool is not activated, and the report says what the program said", () => {
  expect(check(POOL, { status: 1 }).lines.join(" ")).toContain(
    "the thin pool vg0-pool-tpool is not activated: /usr/sbin/thin_check ended with status 1: bad checksum in superblock",
  );
});

test("without the program, and for other devices, nothing is checked", () => {
  for (const { lines, runs } of [check(POOL, { status: 1 }, {}), check(OTHER, { status: 1 })]) {
    expect(lines).toEqual([]);
    expect(runs).toEqual([]);
  }
});

test("a check that takes long says so, and one that never ends is stopped after three minutes", () => {
  const slow = check(POOL, { tookMs: 40_000 });
  expect(slow.lines).toEqual([]);
  expect(slow.said).toContain("waiting for /usr/sbin/thin_check, 5 of 180 s");
  const hung = check(POOL, { tookMs: Number.POSITIVE_INFINITY });
  expect(hung.lines.join(" ")).toContain(
    "the thin pool vg0-pool-tpool is not activated: /usr/sbin/thin_check did not end within 180 s",
  );
  expect(hung.tookMs).toBe(180_000);
});
