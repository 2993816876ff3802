import { type AliasLine, parseSoftDependency, readLines, type SoftDependency } from "./kernel-files.ts";
import { normalizeAlias, normalizeName } from "./names.ts";

/** The directories of modprobe.d(5), in modprobe's order: of two files with the same name, the first is used. */
export const MODPROBE_DIRECTORIES: readonly string[] = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"].map(
  (path) => `${path}/modprobe.d`,
);

/** The content of the files of modprobe.d(5), in their order. */
export interface ModprobeConfig {
  readonly aliases: readonly AliasLine[];
  readonly blacklist: readonly string[];
  /** A module or alias, and its parameters. */
  readonly options: readonly { readonly name: string; readonly parameters: string }[];
  readonly softDependencies: readonly SoftDependency[];
  /** The command that runs instead of loading the modules that match `pattern`. */
  readonly install: readonly { readonly pattern: string; readonly command: string }[];
  /** Warnings about ignored lines: unknown, incomplete, or a command other than /bin/true and /bin/false. */
  readonly problems: readonly string[];
}

/** One file of modprobe.d: its name, which decides the order, and its text. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

interface Draft {
  readonly aliases: AliasLine[];
  readonly blacklist: string[];
  readonly options: { name: string; parameters: string }[];
  readonly softDependencies: SoftDependency[];
  readonly install: { pattern: string; command: string }[];
  readonly problems: string[];
}

/** Parses files in the order of their names; of two with the same name only the first, as modprobe does. */
export function parseModprobeConfig(files: readonly ConfigFile[]): ModprobeConfig {
  const draft: Draft = { aliases: [], blacklist: [], options: [], softDependencies: [], install: [], problems: [] };
  const first = new Map<string, ConfigFile>();
  for (const file of files) if (!first.has(file.name)) first.set(file.name, file);
  for (const { name, text } of [...first.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const line of readLines(text)) {
      if (!takeLine(draft, name, line))
        draft.problems.push(`${name}: "${line}" is not a line of modprobe.d(5), ignoring it`);
    }
  }
  return draft;
}

/** False for an invalid line. */
function takeLine(draft: Draft, file: string, line: string): boolean {
  const [command = "", subject, ...words] = line.split(/\s+/);
  if (subject === undefined) return false;
  if (command === "blacklist") return draft.blacklist.push(normalizeName(subject)) > 0;
  if (words.length === 0) return false;
  if (command === "alias") {
    const pattern = normalizeAlias(subject);
    return pattern !== null && draft.aliases.push({ pattern, module: normalizeName(words[0] ?? "") }) > 0;
  }
  if (command === "options")
    return draft.options.push({ name: normalizeName(subject), parameters: afterWords(line, 2) }) > 0;
  if (command === "softdep") return draft.softDependencies.push(parseSoftDependency(subject, words)) > 0;
  if (command === "weakdep") return true; // for image builders, without an effect on loading
  if (command === "install") return takeInstall(draft, file, subject, afterWords(line, 2));
  // levain removes no modules.
  if (command === "remove") return nameCommand(draft, file, `remove ${subject}`, afterWords(line, 2));
  return false;
}

function takeInstall(draft: Draft, file: string, subject: string, command: string): boolean {
  const pattern = normalizeName(subject);
  draft.install.push({ pattern, command });
  return nameCommand(draft, file, `install ${pattern}`, command);
}

/** Warns of a command that levain does not run. */
function nameCommand(draft: Draft, file: string, start: string, command: string): true {
  if (judgeInstall(command) !== null) return true;
  draft.problems.push(`${file}: "${start} ${command}" is not run: levain knows only /bin/true and /bin/false`);
  return true;
}

/** Returns the result of an install command: "done" without loading anything, "refused", or null if it would have to be run. */
export function judgeInstall(command: string): "done" | "refused" | null {
  const [, word] = /^(?:(?:\/usr)?\/bin\/)?(true|false|:)$/.exec(command.trim()) ?? [];
  if (word === undefined) return null;
  return word === "false" ? "refused" : "done";
}

function afterWords(line: string, count: number): string {
  return line.split(/\s+/).slice(count).join(" ");
}
