import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "bun";
import { type Content, contentOfBytes } from "../../../../src/desk/archive/content.ts";
import type { ImageTree } from "../../../../src/desk/archive/tree.ts";
import { stripTree } from "../../../../src/desk/extras/strip.ts";
import { pack } from "../../../../src/desk/modules/packed-modules.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { readContent } from "../../../support/read-cpio.ts";
import { listenToVoice } from "../heard-voice.ts";

/** An object file with debugging data, as a module is one. */
async function object(): Promise<Uint8Array<ArrayBuffer>> {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "a.c"), "int used_by_others(int a) { return a + 1; }\n");
  await run(["gcc", "-g", "-c", "-o", join(directory, "a.o"), join(directory, "a.c")]);
  return new Uint8Array(await Bun.file(join(directory, "a.o")).arrayBuffer());
}

const SIGNED = Buffer.from("~Module signature appended~\n");

function treeOf(files: Readonly<Record<string, Content>>): ImageTree {
  return new Map(
    Object.entries(files).map(([path, content]) => [path, { kind: "file" as const, path, mode: 0o755, content }]),
  );
}

function bytesOf(tree: ImageTree, path: string): Uint8Array<ArrayBuffer> {
  const entry = tree.get(path);
  return new Uint8Array(entry?.kind === "file" ? readContent(entry.content) : []);
}

describe("an image without symbols", () => {
  test("has modules without their debugging data, packed or not, and with the names that others use", async () => {
    const module = await object();
    const [plain, packed] = ["/lib/modules/6.1/kernel/a.ko", "/lib/modules/6.1/kernel/b.ko.gz"];
    const tree = treeOf({ [plain]: contentOfBytes(module), [packed]: contentOfBytes(pack(module)) });
    stripTree(tree, listenToVoice());
    const stripped = Buffer.from(bytesOf(tree, plain));
    expect(Buffer.from(module).includes(".debug_info")).toBe(true);
    expect(stripped.includes(".debug_info")).toBe(false);
    expect(stripped.includes("used_by_others")).toBe(true);
    expect(Buffer.from(gunzipSync(bytesOf(tree, packed))).equals(stripped)).toBe(true);
  });

  test("keeps what strip would break: signed modules, programs with data at their end, and /init", async () => {
    const module = await object();
    const [signed, appended] = [SIGNED, Buffer.from("data")].map((end) => contentOfBytes(Buffer.concat([module, end])));
    const files = {
      "/lib/modules/6.1/kernel/a.ko": signed ?? contentOfBytes(""),
      "/bin/a": appended ?? contentOfBytes(""),
      "/init": contentOfBytes(module),
      "/etc/text": contentOfBytes("text"),
    };
    const tree = treeOf(files);
    stripTree(tree, listenToVoice());
    for (const [path, content] of Object.entries(files)) {
      expect([path, Buffer.from(bytesOf(tree, path)).equals(readContent(content))]).toEqual([path, true]);
    }
  });

  test("has one file with two names where it had that before", async () => {
    const content = contentOfBytes(await object());
    const tree = treeOf({ "/bin/a": content, "/bin/b": content });
    stripTree(tree, listenToVoice());
    const [a, b] = [tree.get("/bin/a"), tree.get("/bin/b")];
    expect(a?.kind === "file" && b?.kind === "file" && a.content === b.content).toBe(true);
    expect(bytesOf(tree, "/bin/a").length).toBeLessThan(content.size);
  });
});
