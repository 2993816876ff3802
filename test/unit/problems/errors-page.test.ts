import { expect, test } from "bun:test";
import { CHAPTERS, formatErrorsPage } from "../../../build/errors/page.ts";
import { DIAGNOSES } from "../../../src/problems/problem.ts";

const page = formatErrorsPage();
const entries = page.split("\n### ").slice(1);

test("docs/errors.md matches the tables (make docs writes it)", async () => {
  expect(await Bun.file(new URL("../../../docs/errors.md", import.meta.url)).text()).toBe(page);
});

test("every problem is on the page once, under a title of its own", () => {
  expect(CHAPTERS.flatMap(({ examples }) => Object.keys(examples)).toSorted()).toEqual(
    Object.keys(DIAGNOSES).toSorted(),
  );
  const titles = entries.map((entry) => entry.split("\n")[0] ?? "");
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});

test("every report says what to try", () => {
  const reports = entries.flatMap((entry) =>
    [...entry.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text),
  );
  expect(reports.length).toBeGreaterThan(entries.length);
  expect(reports.filter((text) => !/^hint: /m.test(text))).toEqual([]);
});
