import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../support/cache.ts";

const SCRIPT = join(import.meta.dir, "../../../build/compile.ts");

function compile(output: string): { status: number | null; errors: string } {
  const run = Bun.spawnSync([process.execPath, SCRIPT, output], { stdout: "pipe", stderr: "pipe" });
  return { status: run.exitCode, errors: run.stderr.toString() };
}

/** A build takes half a minute of CPU: returns `built` if it is there, and of the same commit. */
function sameAs(output: string, built: string): string | null {
  return existsSync(built) && readFileSync(built).equals(readFileSync(output)) ? built : null;
}

test("dist/levain is the same bit for bit, wherever it is made, and a static program that runs", () => {
  const other = join(scratchDirectory(), "deep/er/other");
  expect(compile(other)).toEqual({ status: 0, errors: "" });
  const one = sameAs(other, join(import.meta.dir, "../../../dist/levain")) ?? join(scratchDirectory(), "levain");
  if (!existsSync(one)) expect(compile(one)).toEqual({ status: 0, errors: "" });
  expect(readFileSync(one).equals(readFileSync(other))).toBeTrue();
  expect(readdirSync(join(other, ".."))).toEqual(["other"]);
  // ICU's data is trimmed (build/runtime/icu.ts).
  expect(readFileSync(one).includes("/zone/en_001.res")).toBeTrue();
  expect(readFileSync(one).includes("/zone/de.res")).toBeFalse();
  expect(Bun.spawnSync(["file", one]).stdout.toString()).toContain("statically linked");
  expect(Bun.spawnSync([one, "--version"]).exitCode).toBe(0);
});

test("an output that cannot be written is an error, and leaves nothing behind", () => {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "file"), "");
  const { status, errors } = compile(join(directory, "file/levain"));
  expect(status).toBe(1);
  expect(errors).not.toContain("    at ");
  expect(existsSync(join(directory, "file.parts"))).toBeFalse();
});
