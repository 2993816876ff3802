import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");

// What may be imported: only from the same floor or below it. A new file or directory of src/ gets its floor here.
const FLOORS: readonly (readonly string[])[] = [
  [
    "errors",
    "machine/machine",
    "machine/kernel",
    "machine/child",
    "machine/encryption",
    "machine/terminals",
    "machine/writers",
    "machine/abi",
    "machine/abi-child",
    "machine/abi-crypt",
    "machine/abi-terminal",
    "voice",
  ],
  ["config", "probe", "luks", "modules", "report"],
  ["openers", "steps"],
  [
    "boot",
    "plan-reader",
    "rescue",
    "rescue-shell",
    "seal",
    "handover",
    "console",
    "kernel-console",
    "journal",
    "step-runner",
    "session",
    "terminal",
    "commands",
  ],
  ["main"],
];
// The files that answer the Machine interface: only `main` knows them, and they know floor 0.
const REAL_MACHINE = /^machine\/(linux(-[a-z-]+)?|libc)$/;
// Runtime modules without a way to the operating system.
const PURE_RUNTIME_MODULES = new Set(["node:crypto", "node:path", "node:path/posix", "node:util", "node:zlib"]);

interface Import {
  readonly from: string;
  /** A file of this tree without its ending, as "src/errors", or a package as it is named. */
  readonly to: string;
  readonly isDynamic: boolean;
}

function sourceFiles(...directories: readonly string[]): string[] {
  return directories.flatMap((name) => [...new Glob(`${name}/**/*.ts`).scanSync(ROOT)]).sort();
}

function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

// By the text and not by Bun.Transpiler, which leaves type imports out.
function importsOf(file: string): Import[] {
  const expression = /^(?:import|export)\b[^;"]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...readSource(file).matchAll(expression)].map(([, from, bare, dynamic]) => {
    const target = from ?? bare ?? dynamic ?? "";
    const to = target.startsWith(".") ? normalize(join(dirname(file), target)).replace(/\.ts$/, "") : target;
    return { from: file.replace(/\.ts$/, ""), to, isDynamic: dynamic !== undefined };
  });
}

function floorOf(module: string): number {
  return FLOORS.findIndex((names) => names.some((name) => module === name || module.startsWith(`${name}/`)));
}

const sources = sourceFiles("src");
const imports = sources.flatMap(importsOf);
const inside = imports
  .filter(({ to }) => to.startsWith("src/"))
  .map(({ from, to }) => ({ from: from.slice(4), to: to.slice(4) }));

describe("floors", () => {
  test("every file of src/ has one", () => {
    const homeless = sources
      .map((file) => file.slice(4, -3))
      .filter((name) => !REAL_MACHINE.test(name) && floorOf(name) < 0);
    expect(homeless).toEqual([]);
  });

  test("imports go down only", () => {
    const upward = inside
      .filter(({ from, to }) => !REAL_MACHINE.test(from) && !REAL_MACHINE.test(to) && floorOf(to) > floorOf(from))
      .map(({ from, to }) => `${from} → ${to}`);
    expect(upward).toEqual([]);
  });

  test("only main knows the real machine, and the real machine knows nothing but floor 0", () => {
    const known = inside.filter(({ from, to }) => REAL_MACHINE.test(to) && !REAL_MACHINE.test(from) && from !== "main");
    const knows = inside.filter(
      ({ from, to }) => REAL_MACHINE.test(from) && !REAL_MACHINE.test(to) && floorOf(to) !== 0,
    );
    expect([...known, ...knows].map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test("the operating system is reached through Machine alone", () => {
    const around = imports
      .filter(
        ({ from, to }) =>
          !REAL_MACHINE.test(from.slice(4)) && /^(node|bun)\b/.test(to) && !PURE_RUNTIME_MODULES.has(to),
      )
      .map(({ from, to }) => `${from} → ${to}`);
    expect(around).toEqual([]);
  });

  test("src/ reaches build/ by one dynamic import in main only, and never test/ or bench/", () => {
    const out = imports.filter(({ to }) => /^(build|test|bench)\//.test(to));
    const wrong = out
      .filter(({ from, isDynamic }) => from !== "src/main" || !isDynamic)
      .map(({ from, to }) => `${from} → ${to}`);
    expect(wrong).toEqual([]);
    expect(out.length).toBeLessThanOrEqual(1);
  });

  test("build/ imports nothing of test/ or bench/", () => {
    const wrong = sourceFiles("build")
      .flatMap(importsOf)
      .filter(({ to }) => /^(test|bench)\//.test(to));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });
});

// Default exports, enums, barrels and the length of files and functions are Biome's to check (biome.jsonc).
describe("style that Biome has no rule for", () => {
  test("every export of src/ has a doc comment, or stands in a block of one-line exports that has one", () => {
    expect(sources.flatMap(undocumentedExports)).toEqual([]);
  });

  test("no file is named for nothing in particular", () => {
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

  test("Biome's rules that this house stands on are not switched off", () => {
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
