import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { literalsOf } from "./literals.ts";

/** The top of the tree. */
export const ROOT = join(import.meta.dir, "../../..");

/** A piece of text that a person reads, and where it is. */
export interface Prose {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The pages that a person reads, docs/parameters.md included: its text comes from src/parameters. */
export function pages(): string[] {
  const found = [...new Glob("docs/*.md").scanSync(ROOT), ...new Glob("test/**/README.md").scanSync(ROOT)];
  return ["README.md", "CONTRIBUTING.md", ...found.sort()];
}

/** Returns the lines of a page; what is quoted from a console or a file, in a fence or in backquotes, is blank. */
export function proseOfPage(file: string): Prose[] {
  const text = readFileSync(join(ROOT, file), "utf8")
    .replace(/^```[\s\S]*?^```/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/(`+)[\s\S]*?\1/g, blank)
    .replace(/\]\([^)]*\)/g, blank);
  return text.split("\n").map((line, index) => ({ file, line: index + 1, text: line }));
}

/** Three names or more, or two with signs that no word has, separated by spaces. */
const NAMES = /^\s*[\w.=*!/-]+(?:\s+[\w.=*!/-]+){2,}\s*$|^[\w-]*[_*!/-]\S* \S*[_*!/-]\S*$/;
/** What a sentence of three words or more has, and a list of names has not. */
const FUNCTION_WORD =
  /(?<!\S)(?:an?|the|of|to|in|on|for|no|not|is|are|was|it|its|and|or|with|by|at|be|has|from|that|too)(?!\S)/;

/** Returns the messages, hints and help texts of src/: every literal with two words side by side that is not a list of names. */
export function proseOfSources(): Prose[] {
  const files = [...new Glob("src/**/*.ts").scanSync(ROOT)].sort();
  return files.flatMap((file) =>
    literalsOf(readFileSync(join(ROOT, file), "utf8"))
      .map(({ line, text }) => ({ file, line, text: text.replace(/`[^`]*`/g, blank) }))
      .filter(({ text }) => /[a-z,;:]\)? \(?[a-z]/.test(text) && (!NAMES.test(text) || FUNCTION_WORD.test(text))),
  );
}

/** Keeps line feeds, so that lines keep their numbers. */
function blank(text: string): string {
  return text.replace(/[^\n]+/g, " · ");
}
