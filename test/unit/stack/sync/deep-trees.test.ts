import { expect, test } from "bun:test";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { trees } from "../../../../src/machine/linux/trees/tree.ts";
import { removeTree } from "../../../../src/machine/trees.ts";
import { createLayers } from "../../../../src/stack/sync/layers.ts";
import { planSync } from "../../../../src/stack/sync/plan-sync.ts";

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
});

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

test("a sync of a deep tree is planned, unless its paths are too long", () => {
  const directory = fs.mkdtempSync(`${tmpdir()}/levain-deep-`);
  const names = ["upper", "branch", "base"];
  for (const name of names) fs.mkdirSync(`${directory}/${name}`);
  const layers = names.map((name) => trees.openTree(`${directory}/${name}`, "as mounted"));
  try {
    let path = "";
    const deepen = (levels: number, name: string) => {
      for (let level = 0; level < levels; level++) {
        path = path === "" ? name : `${path}/${name}`;
        layers[0]?.makeDirectory(path);
      }
    };
    deepen(1100, "d");
    const { operations } = planSync(createLayers(layers), "");
    expect(operations.filter(({ operation }) => operation.kind === "directory")).toHaveLength(1100);
    expect(operations.at(-1)?.operation).toMatchObject({ kind: "time", path: "" });
    deepen(80, "long".repeat(50));
    expect(() => planSync(createLayers(layers), "")).toThrow("a path has more than 16 KiB");
  } finally {
    for (const tree of layers) tree.close();
  }
  createLinuxMachine().removeTree(directory);
});

test("no character of a name becomes a dot or a slash, which would lead out of the tree", () => {
  const directory = fs.mkdtempSync(`${tmpdir()}/levain-names-`);
  fs.mkdirSync(`${directory}/tree`);
  const tree = trees.openTree(`${directory}/tree`, "as mounted");
  try {
    for (const path of ["\u012e\u012e/out", "\u012e\u012e\u012fout", "a\0b"]) {
      expect(() => tree.makeDirectory(path)).toThrow("EINVAL");
      expect(() => tree.createFile(path)).toThrow("EINVAL");
    }
    expect([fs.readdirSync(directory), fs.readdirSync(`${directory}/tree`)]).toEqual([["tree"], []]);
  } finally {
    tree.close();
    fs.rmSync(directory, { recursive: true });
  }
});
