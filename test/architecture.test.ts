import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { Glob } from "bun";
import { BOOT_MODULE } from "../build/runtime/bundle.ts";

const ROOT = join(import.meta.dir, "..");

/** The rooms of src/, the lowest first: a file imports only from its own room and from rooms before it in this list. docs/architecture.md says what each contains. */
const ROOMS = [
  "problems",
  "machine",
  "crypto",
  "formats",
  "parameters",
  "plan",
  "log",
  "devices",
  "drivers",
  "filesystems",
  "network",
  "prompt",
  "keys",
  "storage",
  "stack",
  "rescue",
  "boot",
  "rescue/commands",
  "desk",
  "main",
];
/** A folder with more files than this needs subfolders. */
const MOST_FILES = 15;
// The implementation of Machine: only `main` imports it.
const REAL_MACHINE = /^machine\/linux\//;
// Runtime modules that do not reach the operating system.
const PURE_RUNTIME_MODULES = new Set(["node:crypto", "node:path", "node:path/posix", "node:util", "node:zlib"]);
// The commands on a running Linux read and write files as any program does.
const DESK = /^desk\//;

/**
 * What depends on the languages, the time zone or the legacy encodings of the user. build/runtime/icu.ts leaves only English of
 * ICU's data, and the same disk must look the same on every machine.
 */
const LOCALE_DEPENDENT: readonly RegExp[] = [
  /\bIntl\b/,
  /\btoLocale\w+/,
  /\blocaleCompare\b/,
  /(?<!\b(?:path|posix))\.normalize\(/,
  // Of Date: local time, and the names of days, months and time zones.
  /\bto(?:Date|Time|GMT|UTC)String\b/,
  /\b[gs]et(?:FullYear|Month|Date|Day|Hours|Minutes|Seconds|Milliseconds|Year|TimezoneOffset)\b/,
  /\bDate\.parse\b|\bnew Date\((?:"|`|[^()]*,)/,
  // The host of a URL is converted by the tables for international domain names.
  /\bnew URL\(|\bURL\.(?:parse|canParse)\b|\bdomainTo(?:ASCII|Unicode)\b/,
  /\bTextDecoder\((?!\)|"utf-8"|"utf-16le")/,
];

interface Import {
  readonly from: string;
  /** A file of this tree without its extension ("src/main"), or the name of a package. */
  readonly to: string;
  readonly isDynamic: boolean;
}

function sourceFiles(...directories: readonly string[]): string[] {
  return directories.flatMap((name) => [...new Glob(`${name}/**/*.ts`).scanSync(ROOT)]).sort();
}

function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

// Reads the text, because Bun.Transpiler leaves type imports out.
function importsOf(file: string): Import[] {
  const expression = /^(?:import|export)\b[^;"]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...readSource(file).matchAll(expression)].map(([, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic ?? "";
    const to = target.startsWith(".") ? normalize(join(dirname(file), target)).replace(/\.ts$/, "") : target;
    return { from: file.replace(/\.ts$/, ""), to, isDynamic: dynamic !== undefined };
  });
}

/** Returns the number of a file's room: the longest name that its path begins with; -1 if there is none. */
function roomOf(module: string): number {
  const at = (name: string) => module === name || module.startsWith(`${name}/`);
  const [room] = ROOMS.filter(at).sort((one, other) => other.length - one.length);
  return room === undefined ? -1 : ROOMS.indexOf(room);
}

/** Returns every import that is part of a circle. A walk from each file is fast enough for a few hundred files. */
function circles(edges: readonly { readonly from: string; readonly to: string }[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const reaches = (start: string, goal: string): boolean => {
    const seen = new Set([start]);
    const queue = [start];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (at === goal) return true;
      for (const { to } of next.get(at) ?? []) if (!seen.has(to)) queue.push(to) && seen.add(to);
    }
    return false;
  };
  return edges.filter(({ from, to }) => reaches(to, from)).map(({ from, to }) => `${from} → ${to}`);
}

const sources = sourceFiles("src");
const imports = sources.flatMap(importsOf);
const inside = imports
  .filter(({ to }) => to.startsWith("src/"))
  .map(({ from, to }) => ({ from: from.slice(4), to: to.slice(4) }));

describe("rooms", () => {
  test("every file of src/ is in one", () => {
    expect(sources.map((file) => file.slice(4, -3)).filter((name) => roomOf(name) < 0)).toEqual([]);
  });

  test("no import goes upward, type imports included", () => {
    const upward = inside.filter(({ from, to }) => roomOf(to) > roomOf(from)).map(({ from, to }) => `${from} → ${to}`);
    expect(upward).toEqual([]);
  });

  test("no import closes a circle, type imports included", () => {
    expect(circles(inside)).toEqual([]);
  });

  test("a circle is found", () => {
    const edges = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "c", to: "a" },
      { from: "a", to: "d" },
    ];
    expect(circles(edges)).toEqual(["a → b", "b → c", "c → a"]);
  });

  test(`no folder has more than ${MOST_FILES} files`, () => {
    const folders = Object.entries(Object.groupBy(sources, (file) => dirname(file)));
    const full = folders.filter(([, files = []]) => files.length > MOST_FILES);
    expect(full.map(([folder, files = []]) => `${folder}: ${files.length}`)).toEqual([]);
  });

  test("only main imports the real machine", () => {
    const known = inside.filter(({ from, to }) => REAL_MACHINE.test(to) && !REAL_MACHINE.test(from) && from !== "main");
    expect(known.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test("only Machine reaches the operating system", () => {
    const around = imports
      .filter(
        ({ from, to }) =>
          ![REAL_MACHINE, DESK].some((room) => room.test(from.slice(4))) &&
          /^(node|bun)\b/.test(to) &&
          !PURE_RUNTIME_MODULES.has(to),
      )
      .map(({ from, to }) => `${from} → ${to}`);
    expect(around).toEqual([]);
  });

  test("only commands import node:crypto before they need it: it costs every boot 30 ms", () => {
    const early = sources.filter((file) => /^import (?!type\b)[^;]*?from "node:crypto"/m.test(readSource(file)));
    expect(early.filter((file) => !DESK.test(file.slice(4)))).toEqual([]);
  });

  test("src/ imports nothing from build/, test/ or bench/, and only main imports the desk, dynamically", () => {
    const out = imports.filter(({ to }) => /^(build|test|bench)\//.test(to));
    const desk = imports.filter(({ from, to }) => to.startsWith("src/desk/") && !from.startsWith("src/desk/"));
    expect(out.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
    expect(desk).toEqual([{ from: "src/main", to: "src/desk/cli", isDynamic: true }]);
  });

  test("main loads everything but the machine when it is needed, a boot by one module", () => {
    const fromMain = imports.filter(({ from }) => from === "src/main");
    expect(fromMain.filter(({ to, isDynamic }) => !isDynamic && !to.startsWith("src/machine/"))).toEqual([]);
    expect(fromMain.filter(({ to }) => to.startsWith("src/boot/"))).toEqual([
      { from: "src/main", to: BOOT_MODULE, isDynamic: true },
    ]);
  });

  test("build/ imports nothing from test/ or bench/", () => {
    const wrong = sourceFiles("build")
      .flatMap(importsOf)
      .filter(({ to }) => /^(test|bench)\//.test(to));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });
});

describe("languages", () => {
  function localeDependent(source: string): string[] {
    const code = source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, "");
    return LOCALE_DEPENDENT.flatMap((pattern) => code.match(pattern)?.[0] ?? []);
  }

  test("no file of src/ depends on a language, a time zone or a legacy encoding", () => {
    expect(sources.flatMap((file) => localeDependent(readSource(file)).map((found) => `${file}: ${found}`))).toEqual(
      [],
    );
  });

  test.each([
    "new Intl.Segmenter()",
    "globalThis.Intl?.Collator",
    "(1.5).toLocaleString()",
    "names.sort((one, other) => one.localeCompare(other))",
    'label.normalize("NFKD")',
    "new Date(2026, 1).getHours()",
    'new Date("14 Jul 2026")',
    "Date.parse(text)",
    "time.toTimeString()",
    "new URL(text).host",
    'new TextDecoder("shift_jis")',
    "new TextDecoder(label)",
  ])("%s is found", (code) => {
    expect(localeDependent(`const made = ${code}; // a comment`)).not.toEqual([]);
  });

  test("what depends on none of them is allowed", () => {
    const code =
      'posix.normalize(path); new Date(ms).toISOString(); new TextDecoder(); new TextDecoder("utf-16le"); a.toUpperCase(); /* Intl */';
    expect(localeDependent(`${code}\n// localeCompare`)).toEqual([]);
  });
});

// Biome checks default exports, enums, barrels and the length of files and functions (biome.jsonc).
describe("style rules that Biome does not have", () => {
  test("every export of src/ has a doc comment, or is in a block of one-line exports that has one", () => {
    expect(sources.flatMap(undocumentedExports)).toEqual([]);
  });

  test("no file has a vague name", () => {
    const vague = /^(utils?|helpers?|common|misc|index|lib|shared)\.ts$/;
    expect(sourceFiles("src", "build", "test", "bench").filter((file) => vague.test(basename(file)))).toEqual([]);
  });

  test("classes are for errors and machines only", () => {
    const classes = sources.flatMap((file) =>
      [...readSource(file).matchAll(/^(?:export )?(?:abstract )?class (\w+)(.*)\{/gm)]
        .filter(([, name = "", rest = ""]) => !/extends \w*Error\b/.test(rest) && !/Machine/.test(`${name} ${rest}`))
        .map(([, name]) => `${file}: ${name}`),
    );
    expect(classes).toEqual([]);
  });

  test("the Biome rules that this tree relies on are not switched off", () => {
    const config = readFileSync(join(ROOT, "biome.jsonc"), "utf8");
    for (const rule of [
      "noDefaultExport",
      "noEnum",
      "noBarrelFile",
      "noReExportAll",
      "noExplicitAny",
      "noImportCycles",
    ]) {
      expect(config).not.toMatch(new RegExp(`"${rule}": "off"`));
    }
    expect(config).toMatch(/"noExcessiveLinesPerFile": \{ "level": "error", "options": \{ "maxLines": 200 \} \}/);
    expect(config).toMatch(/"noExcessiveLinesPerFunction": \{\s*"level": "error",\s*"options": \{ "maxLines": 50/);
    expect(config).toMatch(/"useFilenamingConvention": \{[^}]*"kebab-case"/);
  });
});

function undocumentedExports(file: string): string[] {
  const lines = readSource(file).split("\n");
  return lines.flatMap((line, index) => {
    const name = /^export (?:declare |abstract |async )*(?:function\*?|const|let|class|interface|type) (\w+)/.exec(
      line,
    )?.[1];
    if (name === undefined) return [];
    let above = index - 1;
    while (/^export (const|type) .*;( \/\/.*)?$/.test(lines[above] ?? "")) above -= 1;
    return /\*\/\s*$/.test(lines[above] ?? "") ? [] : [`${file}:${index + 1} ${name}`];
  });
}
