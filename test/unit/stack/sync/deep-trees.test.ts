import { expect, test } from "bun:test";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { trees } from "../../../../src/machine/linux/trees/tree.ts";
import { removeTree } from "../../../../src/machine/trees.ts";

test("a tree that is deeper than a process may have open files is removed, and nothing beside it", () => {
  const directory = fs.mkdtempSync(`${tmpdir()}/levain-deep-`);
  const tree = trees.openTree(directory, "as mounted");
  try {
    tree.makeDirectory("deep");
    // From the inside out, so that no path is long.
    for (let depth = 0; depth < 1500; depth++) {
      tree.makeDirectory("next");
      tree.rename("deep", `next/${depth % 3}`);
      tree.rename("next", "deep");
    }
    fs.writeFileSync(`${directory}/deep/1`, "");
    fs.writeFileSync(`${directory}/beside`, "");
    removeTree(tree, "deep");
    expect(fs.readdirSync(directory)).toEqual(["beside"]);
  } finally {
    tree.close();
  }
  fs.rmSync(directory, { recursive: true });
}, 10_000);

test("so does a boot that empties a store", () => {
  const directory = fs.mkdtempSync(`${tmpdir()}/levain-deep-`);
  const tree = trees.openTree(directory, "as mounted");
  tree.makeDirectory("deep");
  for (let depth = 0; depth < 3000; depth++) {
    tree.makeDirectory("next");
    tree.rename("deep", "next/1");
    tree.rename("next", "deep");
  }
  tree.close();
  createLinuxMachine().removeTree(`${directory}/deep`);
  expect(fs.readdirSync(directory)).toEqual([]);
  fs.rmSync(directory, { recursive: true });
});
