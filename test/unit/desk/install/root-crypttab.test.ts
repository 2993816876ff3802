import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listCryptNames, selectLines } from "../../../../src/desk/install/root-crypttab.ts";
import { scratchDirectory } from "../../../support/cache.ts";

test("the volumes that a logical volume lies in are found, however deep", () => {
  const sys = scratchDirectory();
  const device = (name: string, below: readonly string[], mapping?: readonly [uuid: string, name: string]) => {
    mkdirSync(join(sys, name, "slaves"), { recursive: true });
    for (const slave of below) symlinkSync(join(sys, slave), join(sys, name, "slaves", slave));
    if (mapping === undefined) return;
    mkdirSync(join(sys, name, "dm"));
    writeFileSync(join(sys, name, "dm/uuid"), `${mapping[0]}\n`);
    writeFileSync(join(sys, name, "dm/name"), `${mapping[1]}\n`);
  };
  device("sda2", []);
  device("sdb2", []);
  device("dm-0", ["sda2"], ["CRYPT-LUKS2-1", "one"]);
  device("dm-1", ["sdb2"], ["CRYPT-PLAIN-2", "two"]);
  device("md0", ["dm-0", "dm-1"]);
  device("dm-2", ["md0"], ["LVM-3", "vg-root"]);
  expect(listCryptNames(join(sys, "dm-2"))).toEqual(["one", "two"]);
  expect(listCryptNames(join(sys, "sda2"))).toEqual([]);
  expect(listCryptNames("")).toEqual([]);
});

test("the lines of other volumes, and comments, are left out", () => {
  const text = "# one\none UUID=1 none luks\n swap /dev/sda3 /dev/urandom swap\n  two UUID=2\n";
  expect(selectLines(text, new Set(["one", "two"]))).toBe("one UUID=1 none luks\n  two UUID=2\n");
  expect(selectLines(text, new Set())).toBe("");
});
