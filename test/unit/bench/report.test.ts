import { describe, expect, test } from "bun:test";
import { lineChart } from "../../../bench/line-chart.ts";
import { formatTable, median, replaceReport } from "../../../bench/table.ts";

describe("the table of the benchmark", () => {
  const rows = [
    { key: "size", title: "image, MiB", digits: 1, aim: "42" },
    { key: "wall", title: "wall, s", digits: 2, aim: "below dep" },
  ];

  test("has medians, aims, and says what did not boot or was not measured", () => {
    const figures = { size: [45.04], wall: [1.5, 9, 1.25] };
    const results = [
      { name: "levain", what: "", figures },
      { name: "other", what: "", figures: { size: [], wall: [null] } },
    ];
    expect(formatTable(rows, results).split("\n")).toEqual([
      "|            |       aim | levain |         other |",
      "| ---        |      ---: |   ---: |          ---: |",
      "| image, MiB |      ≤ 42 |   45.0 |               |",
      "| wall, s    | below dep |   1.50 | does not boot |",
    ]);
  });

  test("replaces the one in a page", () => {
    const page = "a\n<!-- begin: make bench -->\nold\n<!-- end -->\nb\n";
    const once = replaceReport(page, "| new |");
    expect(once).toBe("a\n<!-- begin: make bench -->\n\n| new |\n\n<!-- end -->\nb\n");
    expect(replaceReport(once, "| new |")).toBe(once);
    expect(() => replaceReport("no marks", "")).toThrow("no lines");
  });

  test("a median is the middle, or the mean of the middle two", () => {
    expect([median([]), median([3]), median([9, 1, 2]), median([4, 1, 2, 9])]).toEqual([null, 3, 2, 3]);
  });
});

describe("a chart", () => {
  const chart = lineChart({
    title: "further <disks>",
    xLabel: "disks",
    yLabel: "seconds",
    series: [
      {
        name: "levain & co",
        points: [
          { count: 0, seconds: 0.5 },
          { count: 500, seconds: 1.5 },
        ],
      },
      { name: "other", points: [] },
    ],
  });

  test("places the points on axes that end at a round number", () => {
    expect(chart).toContain('points="60,243.5 470,110.5"');
    expect(chart).toContain("<title>levain &amp; co, 500: 1.50 s</title>");
    expect(chart).toContain(">2</text>");
  });

  test("is well-formed", () => {
    const open: string[] = [];
    const failures: string[] = [];
    for (const [, closing, name = "", rest = ""] of chart.matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
      if (closing === "/") failures.push(...(open.pop() === name ? [] : [name]));
      else if (!rest.endsWith("/")) open.push(name);
    }
    expect([open, failures]).toEqual([[], []]);
    expect(chart.replaceAll(/&(amp|lt|gt|quot);/g, "")).not.toContain("&");
  });
});
