import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImageTree, type TreeRecipe, writeTree } from "../../../../src/desk/image/verity.ts";
import { run } from "../../../support/command.ts";
import { whatItSays } from "../../../support/luks/sources.ts";

const directory = mkdtempSync(join(tmpdir(), "image-verity-"));
afterAll(() => rmSync(directory, { recursive: true }));
const VOICE = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
const RECIPE = { salt: Uint8Array.fromHex("ab".repeat(32)), uuid: "8cfdf1cd-0a8c-4d3a-9d2c-6c4b3a1f0e5d" };
const VERITYSETUP = Bun.which("veritysetup", { PATH: `${process.env["PATH"]}:/usr/sbin` });

function image(name: string, bytes: number): string {
  const path = join(directory, name);
  writeFileSync(
    path,
    new Uint8Array(bytes).map((_, index) => (index * 31 + (index >> 12)) & 0xff),
  );
  return path;
}

test("the tree that levain makes is that of veritysetup, byte for byte", () => {
  const made = (program: string | null) => {
    const file = image(`by-${program === null ? "levain" : "veritysetup"}`, 5 << 20);
    const recipe: TreeRecipe = { ...RECIPE, program };
    return {
      rootHash: writeTree(file, recipe, VOICE),
      tree: readFileSync(`${file}.verity`),
      text: readFileSync(`${file}.roothash`, "utf8"),
    };
  };
  const ours = made(null);
  expect(VERITYSETUP).not.toBeNull();
  expect(ours).toEqual(made(VERITYSETUP));
  expect(ours.text).toBe(`${ours.rootHash}\n`);
});

test("veritysetup accepts what levain image --verity has made", async () => {
  const file = image("checked", 1 << 20);
  const { output, rows } = makeImageTree(file, VOICE);
  const rootHash = rows[1]?.text?.split("=")[1] ?? "";
  await run(["veritysetup", "verify", file, output, rootHash]);
});

test("an image of broken blocks, or none, is refused and leaves nothing", () => {
  for (const bytes of [0, 5000]) {
    const file = image(`odd-${bytes}`, bytes);
    expect(whatItSays(() => makeImageTree(file, VOICE))).toContain(`has ${bytes} bytes: dm-verity needs whole blocks`);
    expect(existsSync(`${file}.verity`)).toBe(false);
  }
  expect(whatItSays(() => makeImageTree(join(directory, "none"), VOICE))).toContain("cannot read");
  const file = image("failing", 4096);
  const failing = { ...RECIPE, program: "/bin/false" };
  expect(whatItSays(() => writeTree(file, failing, VOICE))).toContain("veritysetup could not make the hash tree");
  expect(existsSync(`${file}.roothash`)).toBe(false);
});
