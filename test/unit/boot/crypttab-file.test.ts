import { expect, test } from "bun:test";
import { MAX_CRYPTTAB_BYTES, readCrypttab } from "../../../src/boot/plan-reader.ts";
import { BootError } from "../../../src/problems/errors.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const read = (files: FakeTree) => readCrypttab(fakeMachine({ files }));

test("the image's crypttab, or null", () => {
  expect(read({})).toBeNull();
  expect(read({ "/etc/crypttab": "root /dev/sda2\n" })).toBe("root /dev/sda2\n");
});

test("no directory and no endless file is read", () => {
  expect(read({ "/etc/crypttab": "#".repeat(MAX_CRYPTTAB_BYTES) })).toHaveLength(MAX_CRYPTTAB_BYTES);
  expect(() => read({ "/etc/crypttab": "#".repeat(MAX_CRYPTTAB_BYTES + 1) })).toThrow("longer than 64 KiB");
  expect(() => read({ "/etc/crypttab": { directory: true } })).toThrow(BootError);
});
