import { expect, test } from "bun:test";
import { formatDeviceSpec } from "../../../src/parameters/device-spec.ts";
import { parseStoreSpec } from "../../../src/parameters/stack/store-spec.ts";
import { identifyLower, parseLowers, RECORD, readLowers, writeLowers } from "../../../src/stack/store/lowers-record.ts";
import { fakeImage } from "../../support/fake-images.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

test.each([
  ["LABEL=DATA", "LABEL=DATA", null],
  ["LABEL=DATA:/a/b", "LABEL=DATA", "/a/b"],
  ["LABEL=DATA:/", "LABEL=DATA", null],
  ["LABEL=DATA:a", "LABEL=DATA", "/a"],
  ["LABEL=a:b:/c", "LABEL=a:b", "/c"],
  ["/dev/sdb1:auto", "/dev/sdb1", "auto"],
  ["/dev/mapper/enc:changes.img", "/dev/mapper/enc", "/changes.img"],
  ["/dev/disk/by-label/DATA:/x", "LABEL=DATA", "/x"],
  ["SIBLING=2:LABEL=STICK:/x", "SIBLING=2:LABEL=STICK", "/x"],
  ["SIBLING=2:/dev/sda1:/x", "SIBLING=2:/dev/sda1", "/x"],
  ["8:17:/x", "8:17", "/x"],
  ["PARTUUID=ab-cd/PARTNROFF=1:/x", "PARTUUID=ab-cd/PARTNROFF=1", "/x"],
])("%s is %s and %p", (text, device, path) => {
  const spec = parseStoreSpec(text);
  expect(spec === null ? null : [formatDeviceSpec(spec.device), spec.path]).toEqual([device, path]);
});

test.each(["", ":", "/x", "LABEL=", "LABEL=A:", "LABEL=A:/x/../y", "DATA:/x"])("%p is no store", (text) => {
  expect(parseStoreSpec(text)).toBeNull();
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "{}",
  '{"lowers":{}}',
  '{"lowers":[1]}',
  '{"lowers":[{"name":"a"}]}',
  '{"lowers":[{"name":1,"id":"x"}]}',
])("a malformed record, %p, is none", (text) => expect(parseLowers(text)).toBeNull());

test("a record is read as it was written, and only from a small file of its own", () => {
  const machine = fakeMachine({ files: { "/s/secret": '{"lowers":[]}', "/s/long/levain.json": "x".repeat(70_000) } });
  const lowers = [{ name: "/root.sfs (squashfs)", id: "squashfs sha256:00" }];
  machine.makeDirectory("/s/store");
  machine.makeSymlink("/s/secret", `/s/store/${RECORD}.new`);
  writeLowers(machine, "/s/store", lowers);
  expect(readLowers(machine, "/s/store")).toEqual(lowers);
  expect(machine.listDirectory("/s/store")).toEqual([RECORD]);
  expect(readLowers(machine, "/s/long")).toBeNull();
  machine.makeDirectory("/s/link");
  machine.makeSymlink("/s/secret", `/s/link/${RECORD}`);
  expect(readLowers(machine, "/s/link")).toBeNull();
  expect(Buffer.from(machine.readFile("/s/secret")).toString()).toBe('{"lowers":[]}');
});

test("a lower is known again by its UUID, or by its superblock", () => {
  const ext4 = fakeImage("ext4", { uuid: "0a1b2c3d-0000-4000-8000-00000000abcd" });
  const [one, other] = [fakeImage("squashfs"), fakeImage("squashfs")];
  const files = { "/ext4": ext4.bytes, "/one": one.bytes, "/copy": new Uint8Array(one.bytes), "/other": other.bytes };
  const machine = fakeMachine({ files });
  const id = (path: string | null) => identifyLower(machine, "name", path).id;
  expect(id("/ext4")).toBe("ext4 0a1b2c3d-0000-4000-8000-00000000abcd");
  expect(id("/one")).toMatch(/^squashfs sha256:[0-9a-f]{64}$/);
  expect(id("/copy")).toBe(id("/one"));
  expect(id("/other")).not.toBe(id("/one"));
  expect(id(null)).toBe("directory name");
});
