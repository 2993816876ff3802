import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { convertKeymap, parseLayouts } from "../../../../src/desk/image/keymap.ts";
import { parseKeymap } from "../../../../src/formats/keymap.ts";
import { report } from "../../../../src/problems/report.ts";
import { scratchDirectory } from "../../../support/cache.ts";

/** linux/input-event-codes.h: the key right of T on a US keyboard, and right of P. */
const KEY_Y = 21;
const KEY_LEFTBRACE = 26;
/** The character of a value as KDSKBENT takes it: letters and Latin-1, or Unicode. */
const characterOf = (value = 0) => String.fromCodePoint(value >= 0x1000 ? value ^ 0xf000 : value & 0xff);

function keysOf(bytes: Uint8Array, ...keys: readonly number[]): string {
  const plain = parseKeymap(bytes).get(0);
  return keys.map((key) => characterOf(plain?.[key])).join("");
}

const complaint = (name: string, directories?: readonly string[]) => {
  try {
    convertKeymap(name, directories);
    return "nothing";
  } catch (error) {
    return report(error).join("\n");
  }
};

describe("convertKeymap", () => {
  test("takes the console's keymaps", () => {
    expect(keysOf(convertKeymap("de-latin1"), KEY_Y, KEY_LEFTBRACE)).toBe("zü");
    expect(keysOf(convertKeymap("us"), KEY_Y, KEY_LEFTBRACE)).toBe("y[");
  });

  test("takes the layouts of XKB where the console has none of that name", () => {
    expect(keysOf(convertKeymap("de", []), KEY_Y, KEY_LEFTBRACE)).toBe("zü");
    expect(keysOf(convertKeymap("ru-phonetic"), KEY_Y)).toBe("ы");
    expect(keysOf(convertKeymap("us-dvorak"), KEY_Y)).toBe("f");
  });

  test("takes plain files and compressed ones, and the first of a name", () => {
    const directory = scratchDirectory();
    for (const [path, letter] of [
      ["a/mine.map", "a"],
      ["b/mine.map", "b"],
      ["include/part.map", "c"],
      ["amiga/old.map", "d"],
    ]) {
      mkdirSync(join(directory, path ?? "", ".."), { recursive: true });
      writeFileSync(join(directory, path ?? ""), `keymaps 0\nkeycode ${KEY_Y} = ${letter}\n`);
    }
    expect(keysOf(convertKeymap("mine", [directory, "/nowhere"]), KEY_Y)).toBe("a");
    expect(complaint("part", [directory])).toStartWith('this host has no keymap "part"');
    expect(complaint("old", [directory])).toStartWith('this host has no keymap "old"');
  });

  test("refuses an unknown name with those that are near", () => {
    expect(complaint("de-latn1")).toBe(
      'this host has no keymap "de-latn1"\n' +
        "seen: de-latin1 · be-latin1 · dk-latin1 · se-latin1\n" +
        "hint: use the name of a console keymap (de-latin1) or of an XKB layout (de) with or without a variant (de-nodeadkeys)",
    );
  });

  test("the error for a file that is not a keymap quotes loadkeys", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "bad.map"), "keycode = nonsense\n");
    expect(complaint("bad", [directory])).toMatch(/^loadkeys cannot convert the keymap bad\nseen: .*syntax error/);
  });
});

test("parseLayouts reads layouts and their variants, and nothing of the other sections", () => {
  const text =
    "! model\n  pc105           Generic\n\n! layout\n  de              German\n\n! variant\n" +
    "  nodeadkeys      de: German (no dead keys)\n  odd             no layout here\n\n! option\n  grp             Switching: x\n";
  expect([...parseLayouts(text)]).toEqual([
    ["de", ["-layout", "de"]],
    ["de-nodeadkeys", ["-layout", "de", "-variant", "nodeadkeys"]],
  ]);
});
