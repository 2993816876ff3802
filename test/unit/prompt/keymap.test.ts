import { describe, expect, test } from "bun:test";
import { convertKeymap } from "../../../src/desk/image/keymap.ts";
import { applyKeymap } from "../../../src/prompt/keymap.ts";
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
  const loaded = applyKeymap(machine, name, voice);
  return { loaded, warnings: voice.warnings, tables: machine.terminals.keymap()?.size ?? null };
}

describe("applyKeymap", () => {
  test("loads the whole keymap that is named", () => {
    expect(load("de")).toEqual({ loaded: "de", warnings: [], tables: 10 });
  });

  test("loads nothing if none is named", () => {
    expect(load(null)).toEqual({ loaded: null, warnings: [], tables: null });
  });

  test("a missing keymap is a warning that lists the keymaps of the image", () => {
    for (const name of ["es", "../keymaps/de"]) {
      expect(load(name)).toEqual({
        loaded: null,
        warnings: [
          `rd.vconsole.keymap=${name}: the image has no such keymap, only de, fr; keeping the kernel's keymap`,
        ],
        tables: null,
      });
    }
    expect(load("es", { files: {} }).warnings).toEqual([
      "rd.vconsole.keymap=es: the image has no keymaps (add one with levain image --keymap NAME); keeping the kernel's keymap",
    ]);
  });

  test("a damaged keymap is a warning too, and no part of it is loaded", () => {
    const files = { "/etc/levain/keymaps/de.bmap": GERMAN.subarray(0, 1000) };
    expect(load("de", { files })).toEqual({
      loaded: null,
      warnings: [
        "rd.vconsole.keymap=de: it cannot be loaded: not a keymap in the format of `loadkeys -b`, " +
          "Expected 2823 bytes for 10 tables but received 1000; keeping the kernel's keymap",
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

  test("loads the keymap before a person can type: in a shell before the first step, or after a failure", () => {
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

  test("warns on the console if it is missing, and continues", () => {
    const { console, shells } = boot("rd.vconsole.keymap=es root=LABEL=X");
    expect(console).toContain("rd.vconsole.keymap=es: the image has no such keymap, only de, fr");
    expect(shells).toBe(1);
  });
});
