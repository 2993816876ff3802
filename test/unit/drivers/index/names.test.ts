import { expect, test } from "bun:test";
import fc from "fast-check";
import { moduleNameOf, normalizeAlias, normalizeName } from "../../../../src/drivers/index/names.ts";

test.each([
  ["kernel/fs/ext4/ext4.ko", "ext4"],
  ["kernel/drivers/scsi/3w-9xxx.ko.xz", "3w_9xxx"],
  ["updates/dkms/a.b.ko.zst", "a"],
  ["plain", "plain"],
  ["", ""],
])("the module in %j is %j", (path, name) => expect(moduleNameOf(path)).toBe(name));

test.each([
  ["fs-ext4", "fs_ext4"],
  ["usb:v1645p0007d01[0-2]*dc-", "usb:v1645p0007d01[0-2]*dc_"],
  ["[0-1]-[2-3]", "[0-1]_[2-3]"],
  ["a]b", null],
  ["a[b", null],
  ["a[b]c]", null],
])("the alias %j is %j", (alias, normal) => expect(normalizeAlias(alias)).toBe(normal));

test("normalizing twice changes nothing", () => {
  fc.assert(fc.property(fc.string(), (text) => normalizeName(normalizeName(text)) === normalizeName(text)));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "-", "[", "]") }), (text) => {
      const once = normalizeAlias(text);
      return once === null || normalizeAlias(once) === once;
    }),
  );
});
