import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import nspell from "nspell";
import { formatPlan } from "../../src/plan/format-plan.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { literalsOf } from "../support/style/literals.ts";
import { type Prose, pages, proseOfPage, proseOfSources, ROOT } from "../support/style/prose.ts";

/** Expressions that are correct English and not the field's; what to write instead. */
const AVOID: Readonly<Record<string, RegExp>> = {
  "again, from the start": /\banew\b/i,
  "without a limit, without end, never ends": /\bfor ever\b|\bforever\b/i,
  "who, anyone who, the user": /\bwhoever\b/i,
  "any …": /\bwhatever it is\b/i,
  "name who does it, or: no one, a user, an attacker": /\bnobody\b|\bsomebody\b/i,
  "have, contain": /\bbears?\b/i,
  "says, reports, warns, prints": /\btold\b|\btells\b/i,
  "all of it, completely": /\b(the )?whole of (it|them)\b/i,
  "what exists, the devices that are present": /\bwhat there is\b|\ball that is there\b|\ball there are\b/i,
  "is wanted, is requested": /\bwish(es|ed)?\b/i,
  "there is no …, does not exist, is not a …": /(?<!\bthere )\b(is|are) none\b(?! of)/i,
  "leave it out": /\bso to speak\b/i,
  "mistakes … for":
    /\b(takes?|taken|took) (it|them|him|her|this|that|one|a \w+|the \w+) for (a|an|the|its|that|what)\b/i,
  "by default, automatically, on its own": /\bby (itself|themselves)\b/i,
  "on any Linux machine, outside the initramfs": /\bon (the|a|your) desk\b/i,
  parameter: /\b(bare|other) words?\b|\bwords? of (the|a|its) (kernel )?(command )?line\b/i,
  "command line": /\bon the line\b|(?<!command )\bline in the boot loader\b/i,
  "released, unmounted": /\blet go\b/i,
  "unplugged, removed": /\bpulled\b/i,
  "damaged, corrupted": /\bspoil(s|t|ed|ing)?\b/i,
  "malformed, crafted": /\bhostile\b/i,
  "unusual, unaligned, invalid": /\bodd(ly)?\b/i,
};

/** Where an expression above is right all the same, and why. */
const EXCEPTIONS: readonly { readonly text: RegExp; readonly why: string }[] = [];

/** The constant parts of messages that pages quote: if one changes, so must the page. */
const QUOTES = [
  ...["command line read", "could not find ", "no block device at all", "what was mounted by hand at ", " tries left"],
  ...["typed before this prompt: ignored", "answered on ", " to unlock, and ", "; trying each"],
  ...[" is not encrypted", ", and rdshell=0 allows none", "this is a bug in levain", " but received "],
  ...[" mistakes", "the image ", " is shorter than its superblock says", " is damaged: "],
  ...["could not mount ", " was not unmounted", ": levain does not replay its journal, so"],
  ...["this kernel does not know that filesystem", "crashed: "],
];

const speller = nspell(...dictionary());
for (const word of wordList()) speller.add(word);

function dictionary(): [Buffer, Buffer] {
  const directory = dirname(Bun.resolveSync("dictionary-en-gb", import.meta.dir));
  return [readFileSync(join(directory, "index.aff")), readFileSync(join(directory, "index.dic"))];
}

function wordList(): string[] {
  const text = readFileSync(join(import.meta.dir, "../support/words.txt"), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

function avoided(prose: readonly Prose[]): string[] {
  return prose.flatMap(({ file, line, text }) =>
    Object.entries(AVOID).flatMap(([instead, expression]) => {
      const found = expression.exec(text)?.[0];
      if (found === undefined || EXCEPTIONS.some((exception) => exception.text.test(text))) return [];
      return [`${file}:${line}: "${found}" (${instead}): ${text.trim()}`];
    }),
  );
}

/** A word as a person writes it: names with digits, capitals inside, or signs around them are not for a dictionary. */
const WORD =
  /(?<![\p{L}\p{N}_./=@%$#:+~\\-])\p{Lu}?\p{Ll}{2,}(?:'\p{Ll}+)?(?![\p{L}\p{N}_/=@$~\\])(?!\.\p{L})(?![-:]\p{L}*[\p{N}=_])/gu;

function misspelled(prose: readonly Prose[]): string[] {
  return prose.flatMap(({ file, line, text }) =>
    [...text.matchAll(WORD)]
      .filter(([word]) => !speller.correct(word) && !speller.correct(word.replace(/'s?$/, "")))
      .map(([word]) => `${file}:${line}: ${word}`),
  );
}

const messages = proseOfSources();
const sourceText = ["src/**/*.ts", "build/stage0/*.c"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)])
  .map((file) => readFileSync(join(ROOT, file), "utf8"))
  .join("\n");

describe("pages", () => {
  for (const file of pages()) {
    test(`${file} keeps to the field's words and is spelled correctly`, () => {
      const prose = proseOfPage(file);
      expect([...avoided(prose), ...misspelled(prose)]).toEqual([]);
    });

    test(`every heading that ${file} links to exists`, () => {
      const text = readFileSync(join(ROOT, file), "utf8");
      const links = [...text.matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)];
      const broken = links.filter(
        ([, page = "", anchor = ""]) => !anchorsOf(page === "" ? file : join(dirname(file), page)).includes(anchor),
      );
      expect(broken.map(([link]) => link)).toEqual([]);
    });

    test(`every file that ${file} names exists`, () => {
      expect(
        namedFiles(file)
          .filter(({ paths }) => !paths.some(existsInTree))
          .map(({ name }) => name),
      ).toEqual([]);
    });
  }
});

test("README.md shows what levain plan prints", () => {
  const [, cmdline = "", shown = ""] =
    /^\$ dist\/levain plan '(.*)'\n([\s\S]*?)^…/m.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  const printed = formatPlan(makePlan({ cmdline, manifest: null }).plan).join("\n");
  expect(shown).not.toBe("");
  expect(printed).toStartWith(shown);
});

test.each(QUOTES)("the quote %p is in the sources", (quote) => {
  const text = pages()
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
  expect({ isInPages: text.includes(quote), isInSources: sourceText.includes(quote) }).toEqual({
    isInPages: true,
    isInSources: true,
  });
});

test("the VM tests that CONTRIBUTING.md runs by a part of their name exist", () => {
  const examples = [...readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8").matchAll(/^make vm T="(.*?)"/gm)];
  const tests = [...new Bun.Glob("test/vm/*.test.ts").scanSync(ROOT)].map((file) =>
    readFileSync(join(ROOT, file), "utf8"),
  );
  expect(examples.length).toBeGreaterThan(0);
  expect(examples.filter(([, name = ""]) => !tests.some((text) => text.includes(name)))).toEqual([]);
});

describe("messages, hints and help of src/", () => {
  test("keep to the field's words", () => {
    expect(avoided(messages)).toEqual([]);
  });

  test("are spelled correctly", () => {
    expect(misspelled(messages)).toEqual([]);
  });
});

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(join(ROOT, page), "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

interface NamedFile {
  readonly name: string;
  /** Where it may be. */
  readonly paths: readonly string[];
}

/** A path of this tree in backquotes or a link: below one of its directories, from the top or from the page. */
function namedFiles(page: string): NamedFile[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, name = ""]) => ({
    name,
    paths: [join(dirname(page), name)],
  }));
  const tests = [...text.matchAll(/`((?:unit|boot|vm)\/[\w/-]+)`/g)].map(([, name = ""]) => ({
    name,
    paths: [`test/${name}`, `test/${name}.test.ts`],
  }));
  const quoted = [...text.matchAll(/(?<![\w/.-])((?:src|build|test|docs|bench|rootfs-skel)\/[\w./*-]*[\w/*])/g)].map(
    ([, name = ""]) => ({ name, paths: [name, `${name}.ts`] }),
  );
  return [...links, ...tests, ...quoted];
}

function existsInTree(path: string): boolean {
  return path.includes("*") ? [...new Bun.Glob(path).scanSync({ cwd: ROOT })].length > 0 : existsSync(join(ROOT, path));
}

test("the scanner finds what a person reads, and nothing else", () => {
  const lines = [
    'const a = /"no"/.test(b) ? `one @{f("two", { c: `three @{d}` })} four` : 1 / 2; // "no"',
    '"five\\n`six`";',
  ];
  const source = lines.join("\n").replaceAll("@", "$");
  expect(literalsOf(source)).toEqual([
    { line: 1, text: "one … four" },
    { line: 1, text: "two" },
    { line: 1, text: "three …" },
    { line: 2, text: "five `six`" },
  ]);
});

describe("docs/glossary.md", () => {
  const rows = [...readFileSync(join(ROOT, "docs/glossary.md"), "utf8").matchAll(/^\| ([a-z].*?) \| .* \| (.*) \|$/gm)];

  test("is in alphabetical order", () => {
    const terms = rows.map(([, term = ""]) => term).slice(1);
    expect(terms).toEqual(terms.toSorted((one, other) => one.localeCompare(other)));
  });

  test("has the names that src/ uses", () => {
    const names = rows.flatMap(([, , name = ""]) => /^`(\w+)`$/.exec(name)?.[1] ?? []);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(sourceText))).toEqual([]);
  });
});

describe("the rooms of test/architecture.test.ts, the lowest last", () => {
  const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
  const [, list = ""] = /const ROOMS = \[([^\]]*)\]/.exec(read("test/architecture.test.ts")) ?? [];
  const rooms = [...list.matchAll(/"(.*?)"/g)].map(([, name = ""]) => name).toReversed();

  test("are in the table of docs/architecture.md", () => {
    const [, table = ""] = /^## Rooms\n([\s\S]*?)^## /m.exec(read("docs/architecture.md")) ?? [];
    expect([...table.matchAll(/^\| `(.*?)` \|/gm)].map(([, name = ""]) => name)).toEqual(rooms);
  });
});

test("test/support/words.txt is in alphabetical order, and the dictionary has none of its words", () => {
  const words = wordList();
  const lower = words.map((word) => word.toLowerCase());
  expect(lower).toEqual(lower.toSorted());
  const plain = nspell(...dictionary());
  expect(words.filter((word) => plain.correct(word))).toEqual([]);
});
