import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatExport } from "../../../src/desk/probe/device-facts.ts";
import { mergeIdentifiers } from "../../../src/formats/filesystems/optical/iso9660.ts";
import { addLabel, addTrimmed, type Tags } from "../../../src/formats/tags.ts";
import { decodePrintable, decodeText, escapeUnprintable, toUtf8 } from "../../../src/formats/text.ts";
import { latin1 } from "../../support/probe/sparse-source.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("text on a disk", () => {
  test("UTF-8 is unchanged, other bytes are \\xNN", () => {
    expect(decodeText(utf8("ä 木 😀"))).toBe("ä 木 😀");
    expect(decodeText(latin1("a\xe4b\xff"))).toBe("a\\xe4b\\xff");
    expect(decodeText(latin1("\xc3"))).toBe("\\xc3");
    expect(decodeText(latin1("\xed\xa0\x80"))).toBe("\\xed\\xa0\\x80");
  });

  test("unprintable characters are escaped for the user", () => {
    expect(decodePrintable(latin1("\x1b[1m\x07\n"))).toBe("\\x1b[1m\\x07\\x0a");
    expect(decodePrintable(utf8("\u202eevil\u2028"))).toBe("\\xe2\\x80\\xaeevil\\xe2\\x80\\xa8");
    expect(escapeUnprintable("ok ä \u0085")).toBe("ok ä \\xc2\\x85");
  });

  test("any text is unchanged, any bytes are safe to print", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => expect(decodeText(utf8(text))).toBe(text)));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(decodePrintable(bytes)).not.toMatch(/[\p{Cc}\p{Cf}]/u)));
  });
});

describe("export form", () => {
  test("equals blkid's: carets, M-, and backslashes before shell characters", () => {
    const value = latin1("  rdinit=/bin/sh \"'$`<>\\ \x01\x7f\xe4\xa0\xff");
    expect(formatExport("/dev/x", [{ name: "LABEL", value }])).toBe(
      "DEVNAME=/dev/x\nLABEL=\\ \\ rdinit=/bin/sh\\ \\\"\\'\\$\\`\\<\\>\\\\\\ ^A^?M-\\dM-\\ M-^?\n".replace(
        "M-\\d",
        "M-d",
      ),
    );
  });
});

describe("UTF-16 to UTF-8", () => {
  test("pairs, lone surrogates, half a unit, a NUL", () => {
    expect(decodeText(toUtf8(Uint8Array.of(0x3d, 0xd8, 0x00, 0xde), "utf-16le"))).toBe("😀");
    expect([...toUtf8(Uint8Array.of(0xd8, 0x3d), "utf-16be")]).toEqual([0xed, 0xa0, 0xbd]);
    expect([...toUtf8(Uint8Array.of(0x41, 0, 0x42), "utf-16le")]).toEqual([0x41]);
    expect([...toUtf8(Uint8Array.of(0x41, 0, 0, 0, 0x42, 0), "utf-16le")]).toEqual([0x41]);
    expect(decodeText(toUtf8(Uint8Array.of(0x41, 0xe4), "latin1"))).toBe("Aä");
  });

  test("every text survives", () => {
    const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"));
    const text = fc.string({ unit: "binary" }).filter((some) => !some.includes("\0"));
    fc.assert(fc.property(text, (some) => expect(decodeText(toUtf8(bytesOf(some), "utf-16le"))).toBe(some)));
  });
});

describe("labels", () => {
  const labelOf = (text: string, add: (tags: Tags, bytes: Uint8Array) => void) => {
    const tags: Tags = [];
    add(tags, latin1(text));
    return tags.map(({ value }) => decodeText(value));
  };

  test("end at a NUL without trailing white space, other texts without any at both ends; blank ones are left out", () => {
    expect(labelOf("  a b \t\0junk", addLabel)).toEqual(["  a b"]);
    expect(labelOf("  a b \t\0junk", (tags, bytes) => addTrimmed(tags, "X", bytes))).toEqual(["a b"]);
    expect(labelOf(" \n\x0b ", addLabel)).toEqual([]);
    expect(labelOf("\0abc", addLabel)).toEqual([]);
  });
});

describe("identifiers in both descriptors of an ISO image", () => {
  const utf16be = (text: string) => new Uint8Array(Buffer.from(text, "utf16le")).map((_, i, all) => all[i ^ 1] ?? 0);
  const merge = (unicode: string, ascii: string) => {
    const merged = mergeIdentifiers(utf16be(unicode.padEnd(8)), latin1(ascii.padEnd(16)));
    return merged && decodeText(toUtf8(merged, "utf-16be")).trimEnd();
  };

  test("are merged: the case of one, the length of the other", () => {
    expect(merge("Debian t", "DEBIAN T_ST 12")).toBe("Debian t_ST 12");
    expect(merge("a_b ä x ", "A B _ X  MORE   ")).toBe("a b ä x  MORE");
  });

  test("are not merged if they differ", () => {
    expect(merge("abcdefgh", "OTHER")).toBeNull();
  });
});
