import { describe, expect, test } from "bun:test";
import { convertKeymap } from "../../../src/desk/image/keymap.ts";
import { loadKeymap } from "../../../src/prompt/keymap.ts";
import { fakeBoot } from "../../support/fake-boot.ts";
import type { FakeTree } from "../../support/fake-files.ts";
import { fakeMachine } from "../../support/fake-machine.ts";
import { listenToVoice } from "../desk/heard-voice.ts";

const TTY0 = { "/tty0": { node: "character", number: "4:0" } } as const;
const GERMAN = convertKeymap("de-latin1");
const FILES: FakeTree = { "/etc/levain/keymaps/de.bmap": GERMAN, "/etc/levain/keymaps/fr.bmap": GERMAN };

function load(name: string | null, { files = FILES, dev = TTY0 as FakeTree } = {}) {
  const machine = fakeMachine({ files, dev });
  const voice = listenToVoice();
  const loaded = loadKeymap(machine, name, voice);
  return { loaded, warnings: voice.warnings, tables: machine.terminals.keymap()?.size ?? null };
}

describe("loadKeymap", () => {
  test("loads the one that is named, all of it", () => {
    expect(load("de")).toEqual({ loaded: "de", warnings: [], tables: 10 });
  });

  test("loads nothing where none is named", () => {
    expect(load(null)).toEqual({ loaded: null, warnings: [], tables: null });
  });

  test("a name that the image does not have is a warning that tells those it has", () => {
    for (const name of ["es", "../keymaps/de"]) {
      expect(load(name)).toEqual({
        loaded: null,
        warnings: [
          `rd.vconsole.keymap=${name}: the image has no such keymap, only de, fr; the keyboard stays as the kernel has it`,
        ],
        tables: null,
      });
    }
    expect(load("es", { files: {} }).warnings).toEqual([
      "rd.vconsole.keymap=es: the image has no keymaps (levain image --keymap NAME); the keyboard stays as the kernel has it",
    ]);
  });

  test("a damaged one is a warning too, and nothing of it is loaded", () => {
    const files = { "/etc/levain/keymaps/de.bmap": GERMAN.subarray(0, 1000) };
    expect(load("de", { files })).toEqual({
      loaded: null,
      warnings: [
        "rd.vconsole.keymap=de: it cannot be loaded: not a keymap in the format of `loadkeys -b`, " +
          "Expected 2823 bytes for 10 tables but received 1000; the keyboard stays as the kernel has it",
      ],
      tables: null,
    });
  });

  test("a machine without virtual terminals needs none", () => {
    expect(load("de", { dev: {} })).toEqual({ loaded: null, warnings: [], tables: null });
  });
});

describe("a boot", () => {
  const boot = (cmdline: string) => fakeBoot({ cmdline: `${cmdline} rd.timeout=1`, files: FILES, dev: TTY0 });

  test("loads the keymap before anybody may type: a shell before the first step, or after a failure", () => {
    for (const words of ["rd.break=prepare root=LABEL=X", "root=LABEL=X"]) {
      const { journal, shells } = boot(`rd.vconsole.keymap=de ${words}`);
      expect(shells).toBe(1);
      const [keymap, shell] = ["load a keymap of 10 tables", " sh "].map((part) =>
        journal.findIndex((line) => `${line} `.includes(part)),
      );
      expect(keymap).toBeGreaterThan(0);
      expect(shell).toBeGreaterThan(keymap ?? 0);
    }
  });

  test("warns on the console where it is missing, and goes on", () => {
    const { console, shells } = boot("rd.vconsole.keymap=es root=LABEL=X");
    expect(console).toContain("rd.vconsole.keymap=es: the image has no such keymap, only de, fr");
    expect(shells).toBe(1);
  });
});
