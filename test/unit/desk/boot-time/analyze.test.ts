import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { formatAnalysis, formatComparison } from "../../../../src/desk/boot-time/format.ts";
import { findUnpacking, listSilences, listSpans } from "../../../../src/desk/boot-time/spans.ts";
import { drawBoot } from "../../../../src/desk/drawing/boot-svg.ts";
import { type BootRecord, createRecord, keepAnswer, parseRecord, readStart } from "../../../../src/log/boot-record.ts";
import { STEP_NAMES } from "../../../../src/parameters/values.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { desk } from "../../../support/desk-in-process.ts";

type Times = Readonly<Record<string, readonly [number, number | null, string?]>>;

function recordOf(times: Times, messages: readonly (readonly [number, string])[] = []): BootRecord {
  const record = createRecord("1.0");
  return {
    ...record,
    kernel: "6.1.0",
    commandLine: "root=LABEL=A",
    state: "handed over",
    messages: messages.map(([atMs, text]) => ({ atMs, level: 6, text })),
    steps: record.steps.map((step) => {
      const [startMs = null, endMs = null, text = ""] = times[step.name] ?? [];
      return { ...step, startMs, endMs, outcome: startMs === null ? "waiting" : "done", text };
    }),
  };
}

const SLOW = recordOf(
  {
    prepare: [2000, 2050],
    modules: [2050, 2500, "12 modules"],
    root: [2500, 6500, "/dev/sda2 ext4"],
    mount: [6510, 6600],
  },
  [
    [3500, "waiting for LABEL=A, 1 of 30 s"],
    [6400, "found /dev/sda2"],
  ],
);

describe("the parts of a boot", () => {
  test("are the kernel and every step that ran, and what lay between two", () => {
    const spans = listSpans(recordOf({ prepare: [2000, 2050], root: [2050, 3000], mount: [9000, 9100] }));
    expect(spans.map(({ name, kind, startMs, endMs }) => [name, kind, startMs, endMs])).toEqual([
      ["kernel", "early", 0, 2000],
      ["prepare", "step", 2000, 2050],
      ["root", "step", 2050, 3000],
      ["", "between", 3000, 9000],
      ["mount", "step", 9000, 9100],
    ]);
  });

  test("a step that still runs ends with the newest message", () => {
    const spans = listSpans(recordOf({ root: [1000, null] }, [[4000, "waiting"]]));
    expect(spans.at(-1)).toMatchObject({ name: "root", startMs: 1000, endMs: 4000 });
  });

  test("the longest silence comes first, with what ended it", () => {
    expect(listSilences(SLOW, listSpans(SLOW), 2)).toEqual([
      { span: "root", startMs: 3500, endMs: 6400, text: "found /dev/sda2" },
      { span: "root", startMs: 2500, endMs: 3500, text: "waiting for LABEL=A, 1 of 30 s" },
    ]);
  });
});

test("the table shows when each part began, and adds up", () => {
  expect(formatAnalysis(SLOW)).toEqual([
    "levain 1.0 on Linux 6.1.0",
    "root=LABEL=A",
    "",
    "  kernel   2.00 s  #######",
    "  prepare  0.05 s         #",
    "  modules  0.45 s         ##",
    "  root     4.00 s           ###############",
    "  mount    0.09 s                          #",
    "",
    "6.60 s from the start of the kernel to the real init",
    "",
    "longest without a message:",
    '    2.90 s  root: until "found /dev/sda2"',
    '    1.00 s  root: until "waiting for LABEL=A, 1 of 30 s"',
    '    0.45 s  modules: until "the end of the step"',
    '    0.10 s  root: until "the end of the step"',
    '    0.09 s  mount: until "the end of the step"',
  ]);
  expect(formatAnalysis(createRecord("1.0"))).toEqual(["No step of this boot has begun."]);
});

test("two boots are compared by their parts", () => {
  const quick = recordOf({ prepare: [1500, 1550], root: [1550, 1950], mount: [1950, 2040] });
  expect(formatComparison(SLOW, quick).slice(-7)).toEqual([
    "           before   after  difference",
    "  kernel   2.00 s  1.50 s     -0.50 s",
    "  prepare  0.05 s  0.05 s      0.00 s",
    "  modules  0.45 s  0.00 s     -0.45 s",
    "  root     4.00 s  0.40 s     -3.60 s",
    "  mount    0.09 s  0.09 s      0.00 s",
    "  total    6.60 s  2.04 s     -4.56 s",
  ]);
});

test("what comes before the first step is the kernel's, and then the start of the runtime", () => {
  const parts = (startedMs: number | null) =>
    listSpans({ ...SLOW, startedMs })
      .slice(0, 2)
      .map(({ name, startMs, endMs }) => `${name} ${startMs}-${endMs}`);
  expect(parts(1700)).toEqual(["kernel 0-1700", "runtime 1700-2000"]);
  for (const unknown of [null, 2500]) expect(parts(unknown)).toEqual(["kernel 0-2000", "prepare 2000-2050"]);
  // proc_pid_stat(5): the name of a program may hold anything.
  const stat = `7 (a) R 1 (init) S ${"0 ".repeat(18)}171 0`;
  expect(readStart({ readFile: () => Buffer.from(stat) })).toBe(1710);
});

const UNPACKED: BootRecord = {
  ...SLOW,
  answers: [
    { node: "/dev/sda", seenMs: 2510, answeredMs: 2520, text: "(gpt partition table)" },
    { node: "/dev/sdb", seenMs: 2511, answeredMs: 6300, text: 'ext4 "A<b"' },
  ],
  kernelLog: [
    "[    0.000000] Linux version 6.1.0",
    "[    0.250000] Trying to unpack rootfs image as initramfs...",
    "[    0.300000] PCI: Using configuration type 1 for base access",
    "[    1.000000] Freeing initrd memory: 51000K",
  ],
};

test("each device has its times, and the kernel's log tells how long the unpacking took", () => {
  expect(findUnpacking(SLOW)).toBeNull();
  expect(findUnpacking({ ...UNPACKED, kernelLog: UNPACKED.kernelLog.slice(0, 3) })).toBeNull();
  expect(formatAnalysis(UNPACKED).slice(9, 14)).toEqual([
    "6.60 s from the start of the kernel to the real init",
    "0.75 s of them to unpack the initramfs",
    "",
    "devices:      seen  answered in",
    '  /dev/sdb  2.51 s       3.79 s  ext4 "A<b"',
  ]);
  const drawn = drawBoot(UNPACKED);
  for (const name of ["sda", "sdb"]) expect(drawn).toContain(`>${name}</text>`);
  expect(drawn).toContain("ext4 &quot;A&lt;b&quot;");
  expect(drawn).toContain("unpacks the initramfs");
  expect(drawBoot(SLOW)).not.toContain("unpacks the initramfs");
});

test("the record keeps the first devices that answered, each with its newest answer", () => {
  const record = createRecord("1.0");
  for (let disk = 0; disk < 100; disk++)
    keepAnswer(record, { node: `/dev/d${disk}`, seenMs: 1, answeredMs: 2, text: "" });
  keepAnswer(record, { node: "/dev/d3", seenMs: 5, answeredMs: 9, text: "swap" });
  expect(record.answers).toHaveLength(64);
  expect(record.answers[3]).toEqual({ node: "/dev/d3", seenMs: 1, answeredMs: 9, text: "swap" });
  expect(parseRecord(JSON.stringify(record))).toEqual(record);
});

test("the drawing has a bar for each part, marks waits, and is well-formed whatever was said", () => {
  const drawn = drawBoot(SLOW);
  for (const name of ["kernel", "prepare", "modules", "root", "mount"]) expect(drawn).toContain(`>${name}</text>`);
  expect(drawn).toContain("nothing was said for 0.2 s");
  const anything = fc.string({ unit: "binary", maxLength: 80 });
  fc.assert(
    fc.property(anything, fc.array(fc.nat(100_000), { maxLength: 10 }), (text, times) => {
      const steps = Object.fromEntries(
        times.map((ms, index) => [STEP_NAMES[index] ?? "", [ms, index % 3 ? ms + index : null, text] as const]),
      );
      const svg = drawBoot(recordOf(steps, [[times[0] ?? 0, text]]));
      expect(svg).not.toMatch(/NaN|Infinity|="-|[\0-\x08]/);
      expect(svg.replace(/<\/?(?:svg|rect|text|title|line)(?: [a-zA-Z0-9-]+="[^"<&]*")*\/?>/g, "")).not.toMatch(
        /[<>]|&(?!amp;|lt;|gt;|quot;)/,
      );
    }),
    { numRuns: 60 },
  );
});

describe("levain analyze", () => {
  const file = (record: unknown): string => {
    const path = join(scratchDirectory(), "boot.json");
    writeFileSync(path, typeof record === "string" ? record : JSON.stringify(record));
    return path;
  };

  test("reads a record that was kept, and prints it in the form that is asked for", async () => {
    const kept = file(SLOW);
    expect((await desk("analyze", kept)).stdout).toContain("6.60 s from the start of the kernel");
    expect(JSON.parse((await desk("analyze", "--json", kept)).stdout)).toMatchObject({ totalMs: 6600 });
    expect((await desk("analyze", "--svg", kept)).stdout).toStartWith("<svg ");
    expect((await desk("analyze", kept, "--compare", kept)).stdout).toContain("total    6.60 s  6.60 s      0.00 s");
  });

  test.each([
    ["that is missing", () => ["/no/such.json"], 1, "no such file or directory"],
    ["that is damaged", () => [file('{"version":1}')], 1, "is damaged, or was written by another version"],
    ["in two forms", () => ["--svg", "--json", file(SLOW)], 2, "Use either --svg or --json"],
  ])("a record %s is refused", async (_name, argv, status, message) => {
    expect(await desk("analyze", ...argv())).toMatchObject({ status, stderr: expect.stringContaining(message) });
  });
});
