import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gatherNativeLibraries } from "../../../build/native-libraries.ts";
import { hostSite } from "../../../build/site.ts";
import { isElf } from "../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../support/cache.ts";
import { whatItSays } from "../../support/luks/sources.ts";

const gather = (libraries?: Record<string, string>) => gatherNativeLibraries(scratchDirectory(), hostSite, libraries);

test("the libraries that are loaded later are laid side by side, by their sonames", () => {
  const directory = gather();
  const names = readdirSync(directory).sort();
  expect(names).toEqual(["levain-files.so", "libargon2.so.1", "libgcc_s.so.1", "librhash.so.0"]);
  expect(names.map((name) => isElf(readFileSync(join(directory, name))))).toEqual([true, true, true, true]);
});

test("one that this host does not have is named, with its package", () => {
  expect(whatItSays(() => gather({ "libnowhere.so.9": "libnowhere9" }))).toMatch(
    /cannot find the library libnowhere\.so\.9[\s\S]*apt install libnowhere9/,
  );
});

test("one that needs what Bun does not load is refused", () => {
  expect(whatItSays(() => gather({ "libcryptsetup.so.12": "libcryptsetup12" }))).toMatch(
    /cannot add .*libcryptsetup\.so\.12 to levain: it needs .*libargon2\.so\.1/,
  );
});
