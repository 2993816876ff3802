import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageTree } from "../../../../src/desk/archive/tree.ts";
import { runHooks } from "../../../../src/desk/extras/hook.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { readContent } from "../../../support/read-cpio.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { listenToVoice } from "../heard-voice.ts";

const KERNEL = { version: "6.1", modulesDir: "/m/6.1" };

/** A hook with a path that a shell would split. */
function hook(script: string, mode = 0o755): string {
  const path = join(scratchDirectory(), "a hook\n'");
  writeFileSync(path, script);
  chmodSync(path, mode);
  return path;
}

function treeAfter(...hooks: readonly string[]): ImageTree {
  const tree: ImageTree = new Map();
  runHooks(tree, hooks, KERNEL, listenToVoice());
  return tree;
}

describe("a hook", () => {
  test("adds what it leaves in DESTDIR, and sees what the hook before it left there", () => {
    const first = hook(`#!/bin/sh
      mkdir -p "$DESTDIR/etc/keys"; echo "$version $MODULESDIR $#" > "$DESTDIR/etc/keys/said"
      chmod 700 "$DESTDIR/etc/keys"; echo "$DESTDIR" > "$(dirname "$0")/dest"\n`);
    const second = hook('#!/bin/sh\ncp "$DESTDIR/etc/keys/said" "$DESTDIR/again"; ln -s again "$DESTDIR/link"\n');
    const tree = treeAfter(first, second);
    expect([...tree.keys()].sort()).toEqual(["/again", "/etc", "/etc/keys", "/etc/keys/said", "/link"]);
    expect(tree.get("/etc/keys")).toMatchObject({ kind: "directory", mode: 0o700 });
    const again = tree.get("/again");
    expect(again?.kind === "file" && Buffer.from(readContent(again.content)).toString()).toBe("6.1 /m/6.1 0\n");
    const directory = readFileSync(join(first, "../dest"), "utf8").trim();
    expect(directory).not.toBe("");
    expect(existsSync(directory)).toBe(false);
  });

  test.each([
    [
      "#!/bin/sh\necho out; echo 'the token is not plugged in' >&2; exit 3\n",
      0o755,
      "failed with status 3\nseen: out · the token is not plugged in",
    ],
    ["#!/bin/sh\nkill -9 $$\n", 0o755, "failed with SIGKILL"],
    ["#!/bin/sh\n", 0o644, "(EACCES)\nhint: a hook is a program that can be executed"],
    ["#!/no/such\n", 0o755, "cannot run the hook"],
    ['#!/bin/sh\necho x > "$DESTDIR/init"\n', 0o755, "this path is reserved for levain"],
  ])("that fails ends the build: %j", (script, mode, expected) => {
    expect(refusalOf(() => treeAfter(hook(script, mode))).join("\n")).toContain(expected);
  });

  test("that does not exist is named so that nothing moves the cursor", () => {
    expect(refusalOf(() => treeAfter("/no/such\n"))[0]).toBe("cannot run the hook /no/such\\x0a");
  });
});
