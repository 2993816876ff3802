// The small parsers of text and bytes from outside, each with anything at all: they answer or refuse in words, and never hang.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAddition } from "../../build/addition.ts";
import { parseCompression } from "../../build/compress.ts";
import { parseMdevConfig } from "../../src/config/mdev.ts";
import { decodeUdevName } from "../../src/config/udev-name.ts";
import { BootError } from "../../src/errors.ts";
import { readBtrfsMember } from "../../src/probe/btrfs-member.ts";
import { parseProperties } from "../../src/steps/block-devices.ts";

/** Texts in which the characters that mean something are likely. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "\\x2",
        "\\x20",
        "=",
        ":",
        "/",
        "\n",
        " ",
        "#",
        "(",
        "[",
        "*",
        "@rm",
        "0:0",
        "660",
        "zstd",
        "19",
        "é",
      ),
    )
    .map((parts) => parts.join("")),
);

function orBootError(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
  }
}

describe("any text", () => {
  test("is an mdev.conf, whatever is wrong in it is a problem with a line", () => {
    const ids = { users: new Map([["root", 0]]), groups: new Map([["disk", 6]]) };
    fc.assert(
      fc.property(text, (config) => {
        const { rules } = parseMdevConfig(config, ids);
        expect(rules.length).toBeLessThanOrEqual(config.split("\n").length);
      }),
    );
  });

  test("is a udev name, and one without escapes is itself", () => {
    fc.assert(
      fc.property(text, (name) => {
        const decoded = decodeUdevName(name);
        if (!name.includes("\\x")) expect(decoded).toBe(name);
      }),
    );
  });

  test("is a uevent file: every value is what stands behind the first = of a line", () => {
    fc.assert(
      fc.property(text, (uevent) => {
        const lines = uevent.split("\n");
        for (const [name, value] of Object.entries(parseProperties(uevent)))
          expect(lines).toContain(`${name}=${value}`);
      }),
    );
  });

  test("is an addition or a compression, or refused in words", () => {
    fc.assert(
      fc.property(text, (words) => {
        orBootError(() => parseAddition(words, "/"));
        orBootError(() => parseCompression(words));
      }),
    );
  });
});

test("any bytes are a btrfs member or none, and nothing is read but the superblock", () => {
  const magic = new TextEncoder().encode("_BHRfS_M");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), fc.boolean(), (bytes, isMarked) => {
      const disk = new Uint8Array(65536 + 4096);
      disk.set(bytes, 65536);
      if (isMarked) disk.set(magic, 65536 + 0x40);
      const member = readBtrfsMember({
        size: disk.length,
        read: (offset, length) => disk.slice(offset, offset + length),
      });
      expect(member === null).toBe(!isMarked);
      const cut = disk.subarray(0, 65536 + bytes.length);
      if (bytes.length < 4096) {
        expect(readBtrfsMember({ size: cut.length, read: (at, length) => cut.slice(at, at + length) })).toBeNull();
      }
    }),
  );
});
