import { beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lookAtAdditions, readCrypttabFrom } from "../../../../src/desk/image/addition.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";

let base = "";
beforeAll(() => {
  base = join(scratchDirectory(), "image-files");
  mkdirSync(join(base, "etc/keys"), { recursive: true });
  writeFileSync(join(base, "etc/crypttab"), "one /dev/sda1\n");
  writeFileSync(join(base, "other"), "two /dev/sda2\n");
  writeFileSync(join(base, "etc/keys/root.key"), "x");
});
const add = (source: string, destination: string) => ({ source: join(base, source), destination });

test("a crypttab is found in what is added, also in a directory; the last counts", () => {
  expect(lookAtAdditions([]).crypttab).toBeNull();
  expect(lookAtAdditions([add("other", "/etc/crypttab")]).crypttab).toBe("two /dev/sda2\n");
  expect(lookAtAdditions([add("etc", "/etc")]).crypttab).toBe("one /dev/sda1\n");
  expect(lookAtAdditions([add(".", "/")]).crypttab).toBe("one /dev/sda1\n");
  expect(lookAtAdditions([add("etc", "/etc"), add("other", "/etc/crypttab")]).crypttab).toBe("two /dev/sda2\n");
  expect(lookAtAdditions([add("other", "/etc/crypttab"), add("etc/keys", "/etc")]).crypttab).toBe("two /dev/sda2\n");
  expect(lookAtAdditions([add("etc", "/etcetera")]).crypttab).toBeNull();
});

test("files of the image are known by their path there", () => {
  const { hasFile } = lookAtAdditions([add("etc/keys", "/keys"), add("gone", "/gone")]);
  expect(["/keys/root.key", "/keys", "/gone", "/etc/keys/root.key"].map(hasFile)).toEqual([true, false, false, false]);
});

test("one that a boot would not read is refused", () => {
  writeFileSync(join(base, "long"), " ".repeat((64 << 10) + 1));
  expect(() => readCrypttabFrom(join(base, "long"))).toThrow("is longer than 64 KiB");
  expect(() => readCrypttabFrom(join(base, "none"))).toThrow(BootError);
});
