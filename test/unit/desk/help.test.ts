import { describe, expect, test } from "bun:test";
import { argument, command, flag, option } from "../../../src/desk/command-line.ts";
import { columnsOf, explainTopic, formatUsage } from "../../../src/desk/help.ts";

const COMMAND = command({
  name: "frob",
  description:
    "Do something that takes a whole line and more to describe, so that it has to be wrapped at the end of it",
  args: {
    file: argument("The file, of which there is a lot to say: it has a long explanation that does not fit one line"),
    output: option(
      "FILE",
      "Write to FILE instead of where it would be written otherwise, which is somewhere else",
      "o",
    ),
    json: flag("Print JSON"),
  },
  examples: { "levain frob x": "Frob x, with an explanation that is also longer than what a narrow terminal has" },
  run: () => 0,
});

describe("help fits the terminal", () => {
  test.each([40, 50, 60, 80, 132])("of %d columns", async (columns) => {
    const text = await formatUsage(COMMAND, undefined, columns);
    const widths = text.split("\n").map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(text.replace(/\s+/g, " ")).toContain("otherwise, which is somewhere else");
    const table = explainTopic("parameters", [], columns).split("\n");
    const long = table.filter((line) => line.length > columns && / \S/.test(line.trimStart()));
    expect(long).toEqual([]);
  });

  test("a wide one is used", async () => {
    const linesAt = async (columns: number) => (await formatUsage(COMMAND, undefined, columns)).split("\n").length;
    expect(await linesAt(132)).toBeLessThan(await linesAt(60));
  });

  test("80 columns where the width is unknown, and never too few to read", () => {
    expect([columnsOf({}), columnsOf({ columns: 0 }), columnsOf({ columns: 132 }), columnsOf({ columns: 9 })]).toEqual([
      80, 80, 132, 40,
    ]);
  });
});
