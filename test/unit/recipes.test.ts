import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makePlan } from "../../src/plan/make-plan.ts";
import { runScript } from "../support/command.ts";
import {
  commandLines,
  forGuest,
  RECIPES_PAGE,
  recipeBlocks,
  recipeFile,
  recipeNames,
  recipePackages,
  recipeScript,
} from "../support/recipes/blocks.ts";

const page = readFileSync(RECIPES_PAGE, "utf8");
const ROOT = join(import.meta.dir, "../..");

describe("docs/recipes.md", () => {
  test("has no block that no test uses", () => {
    const fences = [...page.matchAll(/^```.*\n[\s\S]*?^```$/gm)];
    expect(fences).toHaveLength(recipeBlocks().length);
    const users = ["test/vm/recipes.test.ts", "test/support/recipes/made.ts", "test/support/recipes/machine.ts"]
      .map((file) => readFileSync(join(ROOT, file), "utf8"))
      .join("\n");
    const unused = recipeBlocks().filter(({ kind, name }) => kind !== "packages" && !users.includes(`"${name}"`));
    expect(unused).toEqual([]);
  });

  test("refuses a marker that says nothing to a test", () => {
    expect(() => recipeBlocks("```sh runs=stick\ntrue\n```\n")).toThrow('"sh runs=stick"');
  });

  test.each(recipeNames())("the recipe %p is a script", async (name) => {
    await runScript('printf "%s" "$1" | sh -n', [recipeScript(name)]);
  });

  test("names the packages that it needs, on lines of apt-get", () => {
    expect(recipePackages()).toContain("grub-pc-bin");
    const blocks = recipeBlocks().filter(({ kind }) => kind === "packages");
    expect(blocks.filter(({ text }) => !/^apt-get install( [a-z0-9.+-]+)+\n$/.test(text))).toEqual([]);
  });

  const entries = [
    ...["levain.conf", "syslinux.cfg", "40_custom"].map((name) => recipeFile(name)),
    recipeScript("live"),
  ].flatMap(commandLines);

  test("has five boot loader entries", () => {
    expect(entries).toHaveLength(5);
  });

  test.each(entries)("the command line %p is planned without a warning, and names a root", (cmdline) => {
    const { plan, warnings } = makePlan({ cmdline, manifest: null });
    expect(warnings).toEqual([]);
    expect(plan.root).not.toBeNull();
  });

  test("every entry gets the guest's parameters, and nothing else does", () => {
    for (const file of ["levain.conf", "syslinux.cfg", "40_custom"]) {
      const [before = "", after = "", ...more] = forGuest(recipeFile(file)).split(/console=ttyS0 .*?(?=root=)/);
      expect(more).toEqual([]);
      expect(before + after).toBe(recipeFile(file));
    }
    expect(forGuest(recipeScript("stick"))).toBe(recipeScript("stick"));
  });
});
