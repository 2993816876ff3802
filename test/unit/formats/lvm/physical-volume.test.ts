import { describe, expect, test } from "bun:test";
import { readPhysicalVolume } from "../../../../src/formats/lvm/physical-volume.ts";
import { cpuMs } from "../../../support/cpu-time.ts";
import {
  type FakeGroup,
  type FakePhysicalVolume,
  fakeId,
  fakePhysicalVolume,
  groupText,
} from "../../../support/fake-lvm.ts";

const GROUP: FakeGroup = {
  seqno: 7,
  members: { pv0: fakeId("a"), pv1: fakeId("b") },
  volumes: {
    root: {
      segments: [
        { on: "pv0", from: 0, extents: 3 },
        { on: "pv1", from: 5, extents: 2 },
      ],
    },
  },
};
const TEXT = groupText(GROUP);
const read = (bytes: Uint8Array) =>
  readPhysicalVolume({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
const made = (change: Partial<FakePhysicalVolume> = {}) =>
  fakePhysicalVolume({ id: fakeId("a"), text: TEXT, ...change });

test.each([0, 1, 2, 3])("a label in sector %d", (sector) => {
  expect(read(made({ sector }))).toMatchObject({ uuid: fakeId("a"), flaws: [], group: { name: "vg0", seqno: 7 } });
});

test("a text that begins at the end of its ring continues at the start", () => {
  const plain = read(made());
  for (const textAt of [60 * 1024 - 1, 60 * 1024 - 512, 60 * 1024 - TEXT.length]) {
    expect(read(made({ textAt }))).toEqual(plain);
  }
});

test("what the text says", () => {
  expect(read(made())?.group).toMatchObject({
    id: fakeId("g"),
    extentSectors: 128,
    systemId: null,
    physicalVolumes: [{ key: "pv0", id: fakeId("a"), startSector: 2048, extents: 100 }, { key: "pv1" }],
    volumes: [
      {
        name: "root",
        status: ["READ", "WRITE", "VISIBLE"],
        segments: [
          { startExtent: 0, extents: 3 },
          { startExtent: 3, extents: 2 },
        ],
      },
    ],
  });
});

describe("of two metadata areas", () => {
  const newer = groupText({ ...GROUP, seqno: 8 });

  test("the one with the higher sequence number counts", () => {
    expect(read(made({ lastText: newer }))).toMatchObject({ group: { seqno: 8 }, flaws: [] });
    expect(read(made({ text: newer, lastText: TEXT }))).toMatchObject({ group: { seqno: 8 }, flaws: [] });
  });

  test.each(["header", "text"] as const)("one with a damaged %s leaves the other, and is named", (damage) => {
    const damaged = read(made({ damage, text: newer, lastText: TEXT }));
    expect(damaged).toMatchObject({ group: { seqno: 7 }, flaws: [expect.stringContaining("metadata area at 4096")] });
  });
});

test("without a metadata area it has no group", () => {
  expect(read(made({ text: null }))).toEqual({ uuid: fakeId("a"), group: null, flaws: [] });
});

describe("what is damaged is ignored and named", () => {
  test.each([
    ["header", "wrong checksum of its header"],
    ["text", "wrong checksum of its text"],
  ] as const)("%s", (damage, flaw) => {
    expect(read(made({ damage }))).toMatchObject({ group: null, flaws: [`metadata area at 4096: ${flaw}`] });
  });

  test.each([
    ["no end", TEXT.slice(0, TEXT.indexOf("logical_volumes"))],
    ["a gap between segments", TEXT.replace("start_extent = 3", "start_extent = 4")],
    ["a name with a slash", TEXT.replace("root {", "../root {")],
    ["a name that is a directory", TEXT.replace("root {", ".. {")],
    ["a volume twice", TEXT.replace("root {", 'root {\nid = "x"\n}\nroot {')],
    ["two physical volumes with one id", TEXT.replace(fakeId("b"), fakeId("a"))],
    ["an id of another length", TEXT.replace(fakeId("g"), "g")],
    ["extents of no size", TEXT.replace("extent_size = 128", "extent_size = 0")],
    ["a negative count", TEXT.replace("pe_start = 2048", "pe_start = -1")],
    ["a string without an end", `${TEXT}\nx = "`],
    ["sections without an end", "a {".repeat(5000)],
    ["arrays in an array", `${TEXT}\nx = ${"[".repeat(5000)}`],
  ])("a text with %s", (_, text) => {
    expect(read(made({ text }))).toMatchObject({ group: null, flaws: ["metadata area at 4096: malformed text"] });
  });
});

test("a label with a wrong checksum, or for another sector, is none", () => {
  for (const at of [512 + 8, 512 + 16, 512 + 40, 512 + 72]) {
    const bytes = made();
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(read(bytes)).toBeNull();
  }
});

test("no crafted byte, number or cut makes it throw, hang or read outside the device", () => {
  const whole = new Uint8Array(made().subarray(0, 70_000));
  const isAt = (offset: number) => offset < 512 * 4 || (offset >= 4096 && offset < 4096 + 1024 + TEXT.length);
  for (let seed = 1; seed < 4000; seed++) {
    const at = (seed * 2654435761) % 8192;
    if (!isAt(at)) continue;
    const bytes = whole.slice(0, seed % 5 === 0 ? at : whole.length);
    bytes.fill((seed * 31) & 0xff, at, at + (seed % 9));
    const found = readPhysicalVolume({
      size: bytes.length,
      read(offset, length) {
        expect(Number.isSafeInteger(offset) && offset >= 0 && offset <= bytes.length && length <= 8 << 20).toBeTrue();
        return bytes.subarray(offset, offset + length);
      },
    });
    if (found !== null && found.group !== null) expect(found.group.name).toMatch(/^[\w+.-]+$/);
  }
});

test("no text makes the parser throw or take long, even with right checksums", () => {
  const signs = ["{", "}", "=", "[", "]", ",", '"', "\\", "#", "\n", "0", "-1", "1e9", "9".repeat(400), "\0", "x"];
  for (let seed = 1; seed < 600; seed++) {
    const at = (seed * 40503) % TEXT.length;
    const sign = signs[seed % signs.length] ?? "";
    const text = TEXT.slice(0, at) + sign + TEXT.slice(at + (seed % 4));
    expect(() => read(made({ text }))).not.toThrow();
  }
  const startMs = cpuMs();
  read(made({ text: `a ${"\\".repeat(50_000)}` }));
  read(made({ text: `a = "${"\\\\".repeat(20_000)}` }));
  read(made({ text: `${"#\n".repeat(20_000)}!` }));
  expect(cpuMs() - startMs).toBeLessThan(2000);
});
