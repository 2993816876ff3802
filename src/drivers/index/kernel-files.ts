import { moduleNameOf, normalizeAlias, normalizeName } from "./names.ts";

/** A line of modules.dep: a module, its file below /lib/modules/VERSION and all its dependencies, in the file's order (the last is loaded first). */
export interface DependencyLine {
  readonly name: string;
  readonly path: string;
  readonly dependencies: readonly string[];
}

/** An alias pattern in normal form, and its module. */
export interface AliasLine {
  readonly pattern: string;
  readonly module: string;
}

/** Normalizes an alias and a module's name; empty if the alias is invalid. */
export function aliasLine(alias: string, module: string): readonly AliasLine[] {
  const pattern = normalizeAlias(alias);
  return pattern === null || pattern === "" ? [] : [{ pattern, module: normalizeName(module) }];
}

/** A line of modules.softdep or modprobe.d: what should be loaded before and after the modules that match `pattern`. */
export interface SoftDependency {
  readonly pattern: string;
  readonly pre: readonly string[];
  readonly post: readonly string[];
}

/** Splits a text file of depmod or modprobe into lines: joins those that end with a backslash, skips comments and empty lines. */
export function readLines(text: string): readonly string[] {
  const whole = text.includes("\\\n") ? text.replaceAll("\\\n", "") : text;
  return whole
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Parses modules.dep: "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko …". Of two files with the same module name, the first is used. */
export function parseDependencies(text: string): readonly DependencyLine[] {
  const found = new Map<string, DependencyLine>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1 || line.startsWith("#")) continue;
    const path = line.slice(0, colon).trim();
    const name = moduleNameOf(path);
    if (name === "" || found.has(name)) continue;
    const rest = line.slice(colon + 1).trim();
    found.set(name, { name, path, dependencies: rest === "" ? [] : rest.split(/\s+/).map(moduleNameOf) });
  }
  return [...found.values()];
}

/** Parses modules.alias or modules.symbols: lines "alias PATTERN MODULE". */
export function parseAliases(text: string): readonly AliasLine[] {
  const found: AliasLine[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("alias ")) continue;
    // A pattern may contain a vendor's string with blanks; the module is the last word.
    const end = line.trimEnd();
    const blank = end.lastIndexOf(" ");
    found.push(...aliasLine(end.slice("alias ".length, blank).trim(), end.slice(blank + 1)));
  }
  return found;
}

/** Parses the words of a softdep line after the module's name: "pre: a b post: c". Ignores words before either, as kmod does. */
export function parseSoftDependency(pattern: string, words: readonly string[]): SoftDependency {
  const pre: string[] = [];
  const post: string[] = [];
  let list: string[] | null = null;
  for (const word of words) {
    if (word === "pre:") list = pre;
    else if (word === "post:") list = post;
    else list?.push(word);
  }
  return { pattern: normalizeName(pattern), pre, post };
}

/** Parses modules.order or modules.builtin, a path in each line; returns module names. */
export function parsePathList(text: string): readonly string[] {
  return readLines(text).map(moduleNameOf);
}

/** Parses the aliases of modules.builtin.modinfo: NUL-terminated "module.key=value". */
export function parseBuiltinAliases(text: string): readonly AliasLine[] {
  return text.split("\0").flatMap((entry) => {
    const [, module = "", alias = ""] = /^([^.=]+)\.alias=(.*)$/s.exec(entry) ?? [];
    return aliasLine(alias, module);
  });
}
