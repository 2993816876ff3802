import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ArgsDef } from "citty";
import { listManualPages } from "../../../build/man.ts";
import { COMMANDS, LEVAIN_OPTIONS } from "../../../src/desk/all-commands.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";

const pages = listManualPages();
const textOf = (name: string) => pages.find(({ path }) => path.endsWith(`/${name}`))?.source ?? "";

test("mandoc finds no mistake in a manual page", async () => {
  const directory = scratchDirectory();
  const files = pages.map(({ path, source }) => {
    const file = join(directory, basename(path));
    writeFileSync(file, source);
    return file;
  });
  // The pages have no date: the same source gives the same bytes.
  const output = await run(["sh", "-c", 'mandoc -Tlint -Wwarning "$@" || true', "sh", ...files]);
  expect(output.split("\n").filter((line) => line !== "" && !line.includes("missing date"))).toEqual([]);
  const shown = await run(["mandoc", "-Tascii", join(directory, "levain-image.1")]);
  const plain = shown.replaceAll(/.\u0008/g, "").replaceAll(/\s+/g, " ");
  expect(plain).toContain("-o, --output=FILE Write the image to FILE; -: standard output");
  expect(plain).toContain("levain image -c levain.toml -o - | ssh HOST 'cat >/boot/initrd.img'");
});

test("a page has every option and argument of its command, and those of levain itself", () => {
  const missing = Object.entries({ ...COMMANDS, "": { args: LEVAIN_OPTIONS } }).flatMap(([name, { args = {} }]) => {
    const source = textOf(name === "" ? "levain.1" : `levain-${name}.1`).replaceAll("\\-", "-");
    const words = Object.entries(args as ArgsDef).map(([word, { type }]) =>
      type === "positional" ? `.B "${word.toUpperCase()}"` : `--${word}`,
    );
    return words.filter((word) => !source.includes(word)).map((word) => `${name} ${word}`);
  });
  expect(missing).toEqual([]);
  expect(textOf("levain-image.1")).toContain('"\\-\\-host[=HINTS]"');
});

test("there is a page for each command, for levain.toml and for the parameters", () => {
  expect(pages.map(({ path }) => path)).toEqual([
    "man1/levain.1",
    ...Object.keys(COMMANDS).map((name) => `man1/levain-${name}.1`),
    "man5/levain.toml.5",
    "man7/levain-parameters.7",
  ]);
  expect(textOf("levain.toml.5")).toContain('.B "modules\\-dir"');
  expect(textOf("levain-parameters.7")).toContain("rd.timeout=SECONDS");
});
