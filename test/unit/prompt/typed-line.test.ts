import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createTypedLine, LONGEST_PASSPHRASE_BYTES } from "../../../src/prompt/typed-line.ts";
import { rememberArrays } from "../../support/remembered-arrays.ts";

const bytesOf = (text: string) => Buffer.from(text, "utf8");

/** Types chunks a second apart; what the line holds then, and what the last chunk came to. */
function type(...chunks: readonly (string | Uint8Array)[]) {
  const line = createTypedLine();
  const changes = chunks.map((chunk, index) =>
    line.type(typeof chunk === "string" ? bytesOf(chunk) : chunk, index * 1000),
  );
  return { text: Buffer.from(line.copy()).toString(), ...changes.at(-1), bells: changes.map(({ bell }) => bell), line };
}

describe("a typed line", () => {
  test("ends with Enter as CR or LF and with Ctrl-D, and drops what follows", () => {
    for (const end of ["\r", "\n", "\r\n", "\x04"]) {
      expect(type(`secret${end}more`)).toMatchObject({ text: "secret", end: "entered", bell: false });
    }
  });

  test("is cancelled by Ctrl-C", () => {
    expect(type("secret\x03\r")).toMatchObject({ end: "cancelled" });
  });

  test("continues until its end", () => {
    expect(type("one ", "two ")).toMatchObject({ text: "one two ", end: null });
  });

  test("keeps every byte of text, including Latin-1 and Tab", () => {
    const bytes = Uint8Array.of(0x09, 0x20, 0x7e, 0x80, 0xe4, 0xff);
    expect([...type(bytes).line.copy()]).toEqual([...bytes]);
  });

  test("Backspace erases a whole character, whichever byte the key sends, and rings if the line is empty", () => {
    expect(type("aü€😀", "\x7f").text).toBe("aü€");
    expect(type("aü€😀\x7f\x08").text).toBe("aü");
    expect(type("aü€😀\x7f\x7f\x7f").text).toBe("a");
    expect(type("a\x7f", "\x7f")).toMatchObject({ text: "", bells: [false, true] });
    expect([...type(Uint8Array.of(0xe4, 0xfc, 0x7f)).line.copy()]).toEqual([0xe4]); // Latin-1
    expect([...type(Uint8Array.of(0x61, 0x80, 0x80, 0x7f)).line.copy()]).toEqual([0x61, 0x80]); // nothing at all
  });

  test("Ctrl-U and Ctrl-W erase everything", () => {
    for (const key of ["\x15", "\x17"]) expect(type(`one two${key}three`).text).toBe("three");
  });

  test("arrow and function keys do nothing, in any number of pieces", () => {
    for (const keys of ["\x1b[A", "\x1bOA", "\x1b[3~", "\x1b[[A", "\x1b[1;5C", "\x1b\x1b[A"]) {
      expect(type(`a${keys}b`).text).toBe("ab");
      const line = createTypedLine();
      for (const byte of bytesOf(`a${keys}b`)) line.type(Uint8Array.of(byte), 0);
      expect(Buffer.from(line.copy()).toString()).toBe("ab");
    }
  });

  test("Escape by mistake swallows nothing that is typed after it", () => {
    expect(type("a\x1b", "[Ab").text).toBe("a[Ab");
    expect(type("a\x1bb").text).toBe("ab");
    expect(type("a\x1b[", "b").text).toBe("ab");
    expect(type("a\x1b[\r")).toMatchObject({ text: "a", end: "entered" });
  });

  test("other control characters are refused", () => {
    expect(type("a\x01\x00\x1a\x1cb")).toMatchObject({ text: "ab", bell: true });
  });

  test("512 bytes are accepted; Enter refuses a longer line, and an empty line begins", () => {
    const longest = "x".repeat(LONGEST_PASSPHRASE_BYTES);
    expect(type(`${longest}\r`)).toMatchObject({ text: longest, end: "entered", bell: false });
    expect(type(`${longest}y`)).toMatchObject({ end: null, bell: true });
    expect(type(`${longest}y\r`)).toMatchObject({ text: "", end: "too long" });
    expect(type(`${longest}y\x7f\r`)).toMatchObject({ end: "too long" });
    expect(type(`${"x".repeat(511)}ü\r`)).toMatchObject({ end: "too long" });
    expect(type(`${longest}y\x15short\r`)).toMatchObject({ text: "short", end: "entered" });
    expect(type(`${longest}y\r`, "short\r")).toMatchObject({ text: "short", end: "entered" });
  });

  test("accepts any bytes in any pieces, never more than the limit, with the same result as one piece", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 }), (chunks) => {
        const pieces = createTypedLine();
        const whole = createTypedLine();
        const ends = chunks.map((chunk) => pieces.type(chunk, 0).end);
        const first = ends.findIndex((end) => end !== null);
        if (first < 0) {
          whole.type(Buffer.concat(chunks), 0);
          expect([...pieces.copy()]).toEqual([...whole.copy()]);
        }
        expect(pieces.copy().length).toBeLessThanOrEqual(LONGEST_PASSPHRASE_BYTES);
        expect(pieces.isEmpty()).toBe(pieces.copy().length === 0);
      }),
    );
  });

  test("typing text and erasing it character by character leaves nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const clean = [...text.replace(/[\p{Cc}\p{Cs}]/gu, "")];
        const { line } = type(clean.join(""));
        for (let left = clean.length; left > 0; left--) {
          expect(Buffer.from(line.copy()).toString()).toBe(clean.slice(0, left).join(""));
          line.type(Uint8Array.of(0x7f), 0);
        }
        expect(line.isEmpty()).toBe(true);
      }),
    );
  });

  test("a wipe leaves nothing in memory, not even text that was erased before", () => {
    const made = rememberArrays((remembered) => {
      const line = createTypedLine();
      const buffers = [...remembered];
      line.type(bytesOf("secret and more"), 0);
      line.type(bytesOf("\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"), 0);
      expect(buffers.map((buffer) => Buffer.from(buffer).toString().replace(/\0+$/, ""))).toEqual(["secret"]);
      line.wipe();
      return buffers;
    });
    expect(made.length).toBe(1);
    expect(made.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true);
  });
});
