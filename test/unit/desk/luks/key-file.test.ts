import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readKeyFile } from "../../../../src/desk/commands/disks/luks.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { whatItSays } from "../../../support/luks/sources.ts";

const LIMIT = 8 << 20;

describe("a key file", () => {
  const file = join(scratchDirectory(), "key");

  test.each([0, 1, 100_000, LIMIT])("of %i bytes is read whole", (size) => {
    const bytes = new Uint8Array(size).map((_, index) => index);
    writeFileSync(file, bytes);
    expect(readKeyFile(file)).toEqual(bytes);
  });

  test("that is too large, or never ends, is refused", () => {
    writeFileSync(file, new Uint8Array(LIMIT + 1));
    expect(whatItSays(() => readKeyFile(file))).toContain("key is too large for a key file: more than 8 MiB");
    expect(whatItSays(() => readKeyFile("/dev/zero"))).toContain("/dev/zero is too large for a key file");
  });

  test("that does not exist, or is a directory", () => {
    const refused = (path: string, code: string) => ({
      message: `cannot read the key file ${path}`,
      cause: expect.objectContaining({ code }),
    });
    expect(() => readKeyFile("/nonexistent")).toThrow(expect.objectContaining(refused("/nonexistent", "ENOENT")));
    expect(() => readKeyFile("/")).toThrow(expect.objectContaining(refused("/", "EISDIR")));
  });
});
