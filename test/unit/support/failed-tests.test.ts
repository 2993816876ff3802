import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../support/cache.ts";
import { failedTests } from "../../support/failed-tests.ts";

const TESTS = `import { test } from "bun:test";
test("one that passes", () => {});
test("a <b> & 'c'", () => { throw new Error("first line\\nsecond <line>"); });
test.skip("one that is skipped", () => {});
test("another", () => { throw new RangeError("too far"); });
`;

describe("the failures of a report", () => {
  test("are named with their file and what was thrown, and nothing else is", async () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "some.test.ts"), TESTS);
    const report = join(directory, "report.xml");
    const argv = [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, "./some.test.ts"];
    const child = Bun.spawn(argv, { cwd: directory, stdout: "ignore", stderr: "ignore" });
    expect(await child.exited).toBe(1);
    const found = failedTests(readFileSync(report, "utf8"));
    expect(found).toHaveLength(2);
    expect(found[0]).toStartWith("some.test.ts: a <b> & 'c'\n  Error: first line\n  second <line>\n");
    expect(found[1]).toStartWith("some.test.ts: another\n  RangeError: too far\n");
  });

  test("are cut to a number of lines", () => {
    const report = `<testcase name="n" classname="" file="f.ts" line="1"><failure type="Error">a\nb\nc</failure></testcase>`;
    expect(failedTests(report, 2)).toEqual(["f.ts: n\n  a\n  b"]);
  });
});
