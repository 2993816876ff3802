// The small parsers of text and bytes from outside, each with anything at all: they answer or refuse in words, and never hang.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCompression } from "../../src/desk/archive/compress.ts";
import { parseAddition } from "../../src/desk/image/addition.ts";
import { parseProperties } from "../../src/devices/block-devices.ts";
import { readBtrfsMember } from "../../src/formats/filesystems/btrfs.ts";
import { parseMdevConfig } from "../../src/formats/mdev.ts";
import { parseCrypttab } from "../../src/parameters/crypt/crypttab.ts";
import { decodeUdevName } from "../../src/parameters/device-spec.ts";
import { parseStoreSpec } from "../../src/parameters/stack/store-spec.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { BootError } from "../../src/problems/errors.ts";
import { parseLowers } from "../../src/stack/store/lowers-record.ts";

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

  test("is a crypttab: every line is an entry, a warning or nothing, and a plan is made", () => {
    const field = fc.oneof(
      text,
      fc.constantFrom("root", "UUID=abcd", "/dev/sda2", "LABEL=\\040x", "none", "/k:LABEL=K", "/dev/urandom"),
      fc.constantFrom("luks,discard", "plain,size=256", "tries=0,swap", "header=/h,timeout=1min 2s", "key-slot=31"),
    );
    const table = fc
      .array(fc.array(field, { maxLength: 5 }), { maxLength: 6 })
      .map((lines) => lines.map((fields) => fields.join("\t")).join("\n"));
    fc.assert(
      fc.property(fc.oneof(text, table), (crypttab) => {
        const { entries } = parseCrypttab(crypttab);
        const lines = crypttab.split("\n").filter((line) => !/^\s*(?:#|$)/.test(line));
        expect(entries.length).toBeLessThanOrEqual(lines.length);
        const { volumes } = makePlan({ cmdline: "", manifest: null, crypttab }).plan.crypt;
        expect(volumes.length).toBeLessThanOrEqual(entries.length);
      }),
    );
  });

  test("is a place for changes, or a mistake; and is a record of the lowers, or none", () => {
    const place = fc.tuple(fc.constantFrom("LABEL=", "UUID=", "/dev/", "SIBLING=2:", "8:1", ""), text);
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          place.map((parts) => parts.join("")),
        ),
        (value) => {
          const spec = parseStoreSpec(value);
          expect(spec?.path?.split("/") ?? []).not.toContain("..");
          orBootError(() =>
            makePlan({
              cmdline: "root=/dev/sda",
              manifest: null,
              added: [`rd.overlay=${value}`, `overlayroot=crypt:${value}`],
            }),
          );
          const lowers = parseLowers(value) ?? parseLowers(`{"lowers":[${value}]}`) ?? [];
          for (const { name, id } of lowers) expect([typeof name, typeof id]).toEqual(["string", "string"]);
        },
      ),
    );
  });

  const WORDS = [
    "rd.luks.key",
    "rd.luks.options",
    "rd.luks.name",
    "cryptdevice",
    "cryptkey",
    "crypto",
    "cryptopts",
    "rd.crypt.plain",
  ];
  const PARTS = [
    "/dev/sda",
    ":",
    "=",
    ",",
    "UUID=",
    "abcd",
    "LABEL=x",
    "SIBLING=2",
    "/k",
    "root",
    "512",
    "luks-",
    "source=",
  ];

  test("is the value of a word of unlocking, and no two volumes of the plan are one", () => {
    const value = fc.oneof(
      text,
      fc.array(fc.constantFrom(...PARTS), { maxLength: 8 }).map((parts) => parts.join("")),
    );
    const word = fc.tuple(fc.constantFrom(...WORDS, "rd.luks.uuid", "rd.luks.data", "rd.luks.header"), value);
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (words) => {
        const added = words.map(([name, given]) => `${name}=${given}`);
        orBootError(() => {
          const { volumes } = makePlan({ cmdline: "", manifest: null, added }).plan.crypt;
          const names = volumes.flatMap(({ name }) => name ?? []);
          expect(new Set(names).size).toBe(names.length);
          expect(names.filter((name) => name.includes("/"))).toEqual([]);
        });
      }),
      { numRuns: 1000 },
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
