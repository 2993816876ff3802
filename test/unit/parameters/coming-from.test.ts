import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findParameters } from "../../../src/parameters/parameters.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { BootError } from "../../../src/problems/errors.ts";

// docs/coming-from.md says what the planner does with each parameter.

const PAGE = readFileSync(join(import.meta.dir, "../../../docs/coming-from.md"), "utf8");

/** A medium of the section's kind, for parameters that have a meaning only there. */
const CONTEXTS: Readonly<Record<string, string>> = {
  "live-boot (Debian live)": "boot=live",
  "casper (Ubuntu live)": "boot=casper",
  archiso: "archisolabel=A",
};
/** Values for parameters that the page shows without one. */
const VALUES: Readonly<Record<string, string>> = {
  "rd.live.overlay": "LABEL=X",
  "systemd.volatile": "yes",
  boot: "nfs",
};

interface Row {
  readonly section: string;
  /** Names, with the value if the page has one. */
  readonly words: readonly string[];
  readonly here: string;
}

function readRows(): readonly Row[] {
  return PAGE.split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const section = part.split("\n", 1)[0] ?? "";
      return [...part.matchAll(/^\| (.*) \| (.*) \|$/gm)].map(([, there = "", here = ""]) => {
        const spans = [...there.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
        return { section, words: spans.filter((text) => /^[a-z][\w./-]*(=\S*)?$/.test(text)), here };
      });
    });
}

const rows = readRows().filter(({ words }) => words.length > 0);
const nameOf = (word: string) => word.split("=", 1)[0] ?? "";

/** The parameter as on a command line. */
function spell(word: string): string {
  const name = nameOf(word);
  const value = word.slice(name.length + 1);
  return word.includes("=") && /^(?:|[A-Z…]+)$/.test(value) ? `${name}=${VALUES[name] ?? "x"}` : word;
}

function outcome({ section, here }: Row, word: string): { readonly warned: boolean; readonly refused: boolean } {
  const context = CONTEXTS[section] ?? (/without a `root=`/.test(here) ? "" : "root=LABEL=R");
  const about = (text: string) => text.startsWith(nameOf(word));
  try {
    const { warnings } = makePlan({ cmdline: `${context} ${spell(word)}`, manifest: null });
    return { warned: warnings.some(about), refused: false };
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return {
      warned: false,
      refused: error.seen.some((text) => (about(text) && text.includes("support")) || text.includes("yet")),
    };
  }
}

test("there are rows to check", () => {
  expect(rows.length).toBeGreaterThan(30);
});

for (const row of rows) {
  const { section, words, here } = row;
  describe(`${section}: ${here}`, () => {
    if (/^(?:the )?same/.test(here)) {
      test.each(words)("%s is known", (word) => expect(findParameters(nameOf(word)).length).toBeGreaterThan(0));
    } else if (here.startsWith("warns")) {
      test.each(
        words.filter((word) => word.includes("=") || !/^(?:encrypt|lvm2|mdadm_udev|resume|net|usr)$/.test(word)),
      )("%s causes a warning", (word) => expect(outcome(row, word)).toEqual({ warned: true, refused: false }));
    } else if (here.startsWith("refused")) {
      test.each(words)("%s is refused", (word) => expect(outcome(row, word)).toEqual({ warned: false, refused: true }));
    }
  });
}
