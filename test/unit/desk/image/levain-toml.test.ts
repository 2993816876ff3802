// docs/levain-toml.md has every key of levain.toml, in its order, with an example that can be read.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_KEYS, type ImageConfig, parseConfig } from "../../../../src/desk/config/config.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../../../docs/levain-toml.md"), "utf8");
const [head = "", ...sections] = PAGE.split(/^### /m);
const NOTHING = parseConfig("", "levain.toml");

function examplesOf(text: string): readonly ImageConfig[] {
  return [...text.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, source = ""]) => parseConfig(source, "levain.toml"));
}

test("its sections are the keys", () => {
  expect(sections.map((section) => section.split("\n", 1)[0])).toEqual(CONFIG_KEYS.map((key) => `\`${key}\``));
});

describe("every section has an example that sets its key and no other", () => {
  test.each(sections.map((section) => [section.split("`")[1] ?? "", section] as const))("%s", (key, section) => {
    const examples = examplesOf(section);
    expect(examples.length).toBe(1);
    for (const example of examples) {
      const changed = Object.entries(example).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(NOTHING[name as keyof ImageConfig]),
      );
      expect(changed.map(([name]) => name)).toEqual([key]);
    }
  });
});

test("the files at the beginning can be read", () => {
  const [whole] = examplesOf(head);
  expect(whole?.parameters).toEqual(["rd.timeout=60", "rd.drivers=all", "panic=30"]);
});
