import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageTree } from "../../../../src/desk/archive/tree.ts";
import { addBootHooks, parseHooks } from "../../../../src/desk/extras/boot-hook.ts";
import { EM } from "../../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { refusalOf } from "../../../support/refusal.ts";

function fileWith(name: string, text: string, mode = 0o755): string {
  const path = join(scratchDirectory(), name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test("--hook STEP:FILE is a hook of the boot, --hook FILE one of the build", () => {
  expect(parseHooks(["keys", "root:led", "failure:/a:b", "roots:x", "./root:y"], "/here")).toEqual({
    hooks: ["/here/keys", "/here/roots:x", "/here/root:y"],
    bootHooks: [
      { point: "root", file: "/here/led" },
      { point: "failure", file: "/a:b" },
    ],
  });
});

describe("a hook of the boot", () => {
  const add = (...files: readonly string[]) => {
    const tree: ImageTree = new Map();
    addBootHooks(
      tree,
      files.map((file) => ({ point: "root", file })),
      EM.X86_64,
    );
    return [...tree.values()].flatMap((entry) =>
      entry.kind === "file" ? `${entry.path} ${entry.mode.toString(8)}` : [],
    );
  };

  test("is in the image, executable if it is a program", () => {
    const actions = fileWith("led.toml", '[[before]]\nsay = "x"\n', 0o600);
    expect(add(fileWith("tell", "#!/bin/sh\n"), actions)).toEqual([
      "/etc/levain/hooks/root.d/tell 755",
      "/etc/levain/hooks/root.d/led.toml 644",
    ]);
  });

  test.each([
    ["a program that is not executable", () => add(fileWith("tell", "#!/bin/sh\n", 0o644)), /chmod \+x/],
    ["neither a program nor a script", () => add(fileWith("tell", "text\n")), /neither an ELF file nor a script/],
    ["an unknown action", () => add(fileWith("a.toml", '[[before]]\nrun = "x"\n')), /it before\.0 is no action: say/],
    ["a file that is missing", () => add("/nowhere/a.toml"), /cannot add the hook \/nowhere\/a\.toml/],
    [
      "two of one name",
      () => add(fileWith("a", "#!/bin/sh\n"), fileWith("a", "#!/bin/sh\n")),
      /another hook with this/,
    ],
  ])("%s is refused", (_, act, says) => {
    expect(refusalOf(act).join("\n")).toMatch(says);
  });
});
