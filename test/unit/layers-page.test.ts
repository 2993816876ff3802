import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { drawStacks } from "../../build/docs.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { fakeBoot, rootImage } from "../support/fake-boot.ts";
import { LAYERS_PAGE, recipeBlocks } from "../support/recipes/blocks.ts";

const page = readFileSync(LAYERS_PAGE, "utf8");
const DOCS = dirname(LAYERS_PAGE);

describe("the drawings of docs/layers.md", () => {
  const drawings = drawStacks(page);

  test.each(drawings)("$file is what its command draws (make docs)", ({ file, svg }) => {
    expect(readFileSync(join(DOCS, file), "utf8")).toBe(svg);
    expect(page).toContain(`](${file})`);
  });

  test("are those in docs/stacks", () => {
    const files = readdirSync(join(DOCS, "stacks")).map((name) => `stacks/${name}`);
    expect(files.sort()).toEqual(drawings.map(({ file }) => file).sort());
    expect(drawings.length).toBeGreaterThan(1);
  });

  test("are made by commands of levain", () => {
    expect(() => drawStacks("```sh stack=x\nlevain plan 'root=/dev/vda'\n```\n")).toThrow("draws x.svg");
  });
});

describe("the command lines of docs/layers.md", () => {
  const blocks = recipeBlocks(page);
  const files = blocks.filter(({ kind }) => kind === "file").flatMap(({ text }) => text.trim().split("\n"));
  const drawn = blocks.flatMap(({ kind, text }) => (kind === "stack" ? (/'([^']*)'/.exec(text)?.[1] ?? []) : []));

  test.each([...files, ...drawn])("%p is planned without a warning", (cmdline) => {
    const { plan, warnings } = makePlan({ cmdline, manifest: null });
    expect(warnings).toEqual([]);
    expect(plan.root.kind).toBe("block");
  });

  test("each recipe with commands is carried out in a guest", () => {
    const used = readFileSync(join(import.meta.dir, "../vm/layers.test.ts"), "utf8");
    const unused = blocks.filter(({ kind, name }) => ["run", "file"].includes(kind) && !used.includes(`"${name}"`));
    expect(unused).toEqual([]);
  });

  test("the kiosk boots with its root below a tmpfs, and its disk is not written", () => {
    const cmdline = drawn.find((line) => line.includes("KIOSK")) ?? "";
    const { end, journal } = fakeBoot({ cmdline, disks: [{ name: "sda", image: rootImage("KIOSK") }] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount ext4 /dev/sda at /run/levain/lower (ro)");
    expect(journal).toContain("mount tmpfs tmpfs at /run/levain/overlay (mode=0755,size=25%)");
  });
});
