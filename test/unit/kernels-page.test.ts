import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Marks, NAMES, readMarks, replaceTable } from "../support/reach/page.ts";
import { ROWS, type Row } from "../support/reach/rows.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/kernels.md"), "utf8");

test("docs/kernels.md has a cell for each boot, and all of them passed", () => {
  const [heads = "", , ...lines] = PAGE.split("\n").filter((line) => line.startsWith("|"));
  for (const name of NAMES) expect(heads).toContain(` | ${name} |`);
  expect(NAMES).toHaveLength(10);
  for (const row of ROWS) {
    const { architecture, release, flavour } = row;
    expect(lines.filter((line) => line.startsWith(`| ${architecture} | ${release} | ${flavour} |`))).toHaveLength(1);
    expect(Object.values(readMarks(PAGE, row).of)).toEqual(NAMES.map(() => "✓"));
  }
});

test("a table is read as it was written, and a row or a column that it lacks has no marks", () => {
  const [row, other] = ROWS as readonly [Row, Row];
  const failed = Object.fromEntries(NAMES.map((name) => [name, "failed"])) as Marks["of"];
  const page = "# Head\n\n<!-- begin: make reach -->\n\n<!-- end -->\ntail\n";
  const written = replaceTable(page, [[row, { version: "6.1.0", of: failed }]], "today");
  expect(readMarks(written, row)).toEqual({ version: "6.1.0", of: failed });
  expect(Object.values(readMarks(written, other).of)).toEqual(NAMES.map(() => ""));
  const [first = ""] = NAMES;
  expect(readMarks(written.replace(first, "else"), row).of[NAMES[0] ?? "LVM"]).toBe("");
  expect(written).toStartWith("# Head\n\n<!-- begin");
  expect(written).toEndWith("\n<!-- end -->\ntail\n");
  expect(replaceTable(written, [], "tomorrow")).not.toContain("6.1.0");
  expect(() => readMarks("# no marks", row)).toThrow("the page has no lines");
});
