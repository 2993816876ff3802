import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../../..");
const git = (...words: readonly string[]) =>
  Bun.spawnSync(["git", "-C", ROOT, ...words])
    .stdout.toString()
    .trim();

test("the example of each recipe is a commit", () => {
  const text = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
  const examples = [...text.matchAll(/git log -p -1 --grep="([^"]+)"/g)].map(([, pattern = ""]) => pattern);
  expect(examples).toHaveLength(5);
  // A tree without its history, or with a part of it, has no commits to look at.
  if (git("rev-parse", "--is-shallow-repository") !== "false") return;
  expect(examples.filter((pattern) => git("log", "-1", "--format=%h", `--grep=${pattern}`) === "")).toEqual([]);
});
