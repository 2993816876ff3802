import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseKeymap } from "../../../src/formats/keymap.ts";
import { BootError } from "../../../src/problems/errors.ts";
import { report } from "../../../src/problems/report.ts";

/** As loadkeys -b writes it: tables by number, each filled with one value. */
function keymap(tables: Readonly<Record<number, number>>, more = 0): Uint8Array {
  const numbers = Object.keys(tables).map(Number);
  const flags = Uint8Array.from({ length: 256 }, (_, number) => (numbers.includes(number) ? 1 : 0));
  const values = numbers.map(
    (number) => new Uint8Array(Uint16Array.from({ length: 128 }, () => tables[number] ?? 0).buffer),
  );
  return Buffer.concat([Buffer.from("bkeymap"), flags, ...values, new Uint8Array(more)]);
}

const complaint = (bytes: Uint8Array) => {
  try {
    parseKeymap(bytes);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return report(error);
  }
};

describe("parseKeymap", () => {
  test("returns the present tables by their numbers", () => {
    const tables = parseKeymap(keymap({ 0: 0x0b7a, 2: 0xf0fc, 255: 0x0200 }));
    expect([...tables.keys()]).toEqual([0, 2, 255]);
    expect([...tables.values()].map((keys) => [keys.length, keys[0], keys[127]])).toEqual([
      [128, 0x0b7a, 0x0b7a],
      [128, 0xf0fc, 0xf0fc],
      [128, 0x0200, 0x0200],
    ]);
  });

  test("reads at any offset of a buffer", () => {
    const whole = Buffer.concat([new Uint8Array(3), keymap({ 0: 0x1234 })]);
    expect(parseKeymap(whole.subarray(3)).get(0)?.[5]).toBe(0x1234);
  });

  test("says why a file is not a keymap", () => {
    const good = keymap({ 0: 1, 1: 2 });
    const title = "not a keymap in the format of `loadkeys -b`";
    expect(complaint(new Uint8Array())).toEqual([title, "  it does not begin with the magic and the list of tables"]);
    expect(complaint(Buffer.from("keymaps 0-127"))).toEqual([
      title,
      "  it does not begin with the magic and the list of tables",
    ]);
    expect(complaint(good.subarray(0, 262))).toEqual([
      title,
      "  it does not begin with the magic and the list of tables",
    ]);
    expect(complaint(keymap({}))).toEqual([title, "  it has no table"]);
    expect(complaint(good.subarray(0, 700))).toEqual([title, "  Expected 775 bytes for 2 tables but received 700"]);
    expect(complaint(keymap({ 0: 1 }, 2))).toEqual([title, "  Expected 519 bytes for 1 tables but received 521"]);
  });

  test("any bytes give a keymap or a BootError", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 2000 }).map((rest) => Buffer.concat([Buffer.from("bkeymap"), rest])),
    );
    fc.assert(fc.property(bytes, (given) => void complaint(given)));
  });
});
