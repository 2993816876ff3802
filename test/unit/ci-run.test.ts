import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";

const CI_RUN = join(import.meta.dir, "../../.ci/run");

/** Runs .ci/run with this shell script as make(1), and a directory of its own for temporary files. */
function ciRun(make: string) {
  const [bin, temporary] = [join(scratchDirectory(), "bin"), scratchDirectory()];
  mkdirSync(bin);
  writeFileSync(join(bin, "make"), `#!/bin/sh\n${make}\n`);
  chmodSync(join(bin, "make"), 0o755);
  const { exitCode, stdout } = Bun.spawnSync([CI_RUN], {
    env: { PATH: `${bin}:/usr/bin:/bin`, TMPDIR: temporary, LEVAIN_CACHE: "/no/such/cache" },
  });
  return { status: exitCode, lines: stdout.toString().trimEnd().split("\n"), left: readdirSync(temporary) };
}

test.each([
  ["where all passed", "3 passed, 0 failed", 0],
  ["where a test failed", "2 passed, 1 failed", 2],
])("CI has an empty cache of its own, which is gone afterwards, %s", (_name, count, status) => {
  const make = `echo "cache $LEVAIN_CACHE, $(ls -A "$LEVAIN_CACHE" | wc -l) files"; mkdir "$LEVAIN_CACHE/kernels"
    echo "${count}"; [ ${status} = 0 ] || echo "make: *** [Makefile:1: test] Error 1" >&2; exit ${status}`;
  const result = ciRun(make);
  expect(result).toMatchObject({ status, left: [] });
  expect(result.lines[0]).toMatch(/^cache \S+\/levain-ci\.\w+, 0 files$/);
  expect(result.lines.at(-1)).toBe(count);
});
