import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Marks, NAMES, readMarks, replaceTable } from "../support/reach/page.ts";
import { ROWS, type Row } from "../support/reach/rows.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/kernels.md"), "utf8");

test.each(ROWS)("docs/kernels.md: every boot of $architecture, $release, $flavour reached its root", (row) => {
  const { version, of } = readMarks(PAGE, row);
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
  expect(Object.entries(of).filter(([, mark]) => mark !== "✓")).toEqual([]);
  expect(Object.keys(of)).toHaveLength(10);
});

test("a table is read as it was written, and a row or a column that it lacks has no marks", () => {
  const [row, other] = ROWS as readonly [Row, Row];
  const failed = Object.fromEntries(NAMES.map((name) => [name, "failed"])) as Marks["of"];
  const page = "# Head\n<!-- begin: make reach -->\nold\n<!-- end -->\ntail\n";
  const written = replaceTable(page, [[row, { version: "6.1.0", of: failed }]], "today");
  expect(readMarks(written, row)).toEqual({ version: "6.1.0", of: failed });
  expect(Object.values(readMarks(written, other).of)).toEqual(NAMES.map(() => ""));
  const [first = ""] = NAMES;
  expect(readMarks(written.replace(first, "else"), row).of[NAMES[0] ?? "LVM"]).toBe("");
  expect(written).toStartWith("# Head\n");
  expect(written).toEndWith("\n<!-- end -->\ntail\n");
  expect(written).not.toContain("old");
  expect(() => readMarks("# no marks", row)).toThrow("the page has no lines");
});
