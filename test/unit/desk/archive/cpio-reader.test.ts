import { expect, test } from "bun:test";
import fc from "fast-check";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { writeCpio } from "../../../../src/desk/archive/cpio.ts";
import type { ImageEntry } from "../../../../src/desk/archive/tree.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { runScript } from "../../../support/command.ts";
import { readCpio } from "../../../support/read-cpio.ts";

function file(name: string, bytes: Uint8Array): ImageEntry {
  return { kind: "file", path: `/${name}`, mode: 0o644, content: contentOfBytes(bytes) };
}

function pack(entries: readonly ImageEntry[]): Buffer {
  return Buffer.concat([...writeCpio(entries)]);
}

/** What `action` throws, or null; anything but a BootError fails the test. */
function refusal(action: () => unknown): BootError | null {
  try {
    action();
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return error as BootError;
  }
}

const archive = pack([file("a", Buffer.from("hello")), file("b", Buffer.from("world!!"))]);

test("what is written is read again", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 5 });
  fc.assert(
    fc.property(names, fc.uint8Array({ maxLength: 40 }), (paths, bytes) => {
      const { members } = readCpio(pack(paths.map((name) => file(name, bytes))));
      expect(members.map(({ name }) => name)).toEqual(paths);
      for (const { data } of members) expect(Buffer.compare(data, bytes)).toBe(0);
    }),
  );
});

test("random bytes are refused with a BootError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => refusal(() => readCpio(bytes)) !== null));
});

test("a changed byte never gives anything but an archive or a BootError", () => {
  fc.assert(
    fc.property(fc.nat(archive.length - 1), fc.nat(255), (offset, value) => {
      const changed = Buffer.from(archive);
      changed[offset] = value;
      refusal(() => readCpio(changed));
    }),
    { numRuns: 500 },
  );
});

test("an archive that is truncated at any byte of its trailer, or before, is refused", () => {
  const end = archive.indexOf("TRAILER!!!") + "TRAILER!!!".length + 1;
  for (let length = 0; length < end; length += 1) {
    expect(refusal(() => readCpio(archive.subarray(0, length)))).not.toBeNull();
  }
  expect(readCpio(archive.subarray(0, end)).members.length).toBe(2);
});

test("a second archive begins where the first one and its zeros end", () => {
  const both = Buffer.concat([archive, pack([file("c", Buffer.from("again"))])]);
  const { end } = readCpio(both);
  expect(end).toBe(archive.length);
  expect(readCpio(both, end).members.map(({ name }) => name)).toEqual(["c"]);
  expect(readCpio(both, end).end).toBe(both.length);
});

test("says what is wrong and where", () => {
  expect(refusal(() => readCpio(Buffer.from("070707".padEnd(200, "0"))))?.message).toContain(
    "no magic number of a newc header at byte 0",
  );
  expect(refusal(() => readCpio(archive.subarray(0, 130)))?.message).toContain(
    "the file ends without a trailer at byte 120",
  );
  const oversized = Buffer.from(archive);
  oversized.write("FFFFFFFF", 6 + 6 * 8);
  expect(refusal(() => readCpio(oversized))?.message).toContain("the file is truncated at byte 0");
  const nameless = Buffer.from(archive);
  nameless.write("00000000", 6 + 11 * 8);
  expect(refusal(() => readCpio(nameless))?.message).toContain("a name of 0 bytes");
  const endless = Buffer.from(archive);
  endless[111] = 0x61;
  expect(refusal(() => readCpio(endless))?.message).toContain("a name without a NUL");
  const wrongNumber = Buffer.from(archive);
  wrongNumber.write("0000000G", 6);
  expect(refusal(() => readCpio(wrongNumber))?.message).toContain("a field that is not hexadecimal");
});

test("reads the archives of cpio(1), newc and crc", async () => {
  for (const format of ["newc", "crc"]) {
    const script =
      'd=$(mktemp -d); cd "$d"; echo text > f; ln -s f l; (echo f; echo l) | cpio --quiet -o -H "$1" | base64; rm -r "$d"';
    const bytes = Buffer.from(await runScript(script, [format]), "base64");
    expect(readCpio(bytes).members.map(({ name, data }) => [name, Buffer.from(data).toString()])).toEqual([
      ["f", "text\n"],
      ["l", "f"],
    ]);
  }
});
