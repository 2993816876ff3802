import { type AliasLine, parseSoftDependency, readLines, type SoftDependency } from "./kernel-files.ts";
import { normalizeAlias, normalizeName } from "./names.ts";

/** What the files of modprobe.d(5) say, in their order. */
export interface ModprobeConfig {
  readonly aliases: readonly AliasLine[];
  readonly blacklist: readonly string[];
  /** A module or alias, and parameters for it. */
  readonly options: readonly { readonly name: string; readonly parameters: string }[];
  readonly softDependencies: readonly SoftDependency[];
  /** What is run instead of loading the modules that `pattern` matches. */
  readonly install: readonly { readonly pattern: string; readonly command: string }[];
  /** Lines that say nothing here, for a warning: unknown, incomplete, or a command that is not /bin/true or /bin/false. */
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

/** Files as modprobe takes them: by the order of their names; of two with one name only the first given. */
export function parseModprobeConfig(files: readonly ConfigFile[]): ModprobeConfig {
  const draft: Draft = { aliases: [], blacklist: [], options: [], softDependencies: [], install: [], problems: [] };
  const first = new Map<string, ConfigFile>();
  for (const file of files) if (!first.has(file.name)) first.set(file.name, file);
  for (const { name, text } of [...first.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const line of readLines(text)) {
      if (!takeLine(draft, line)) draft.problems.push(`${name}: "${line}" is no line of modprobe.d(5), ignoring it`);
    }
  }
  return draft;
}

/** False where the line makes no sense. */
function takeLine(draft: Draft, line: string): boolean {
  const [command = "", subject, ...words] = line.split(/\s+/);
  if (subject === undefined) return false;
  if (command === "blacklist") return draft.blacklist.push(normalizeName(subject)) > 0;
  if (words.length === 0) return false;
  if (command === "alias") return takeAlias(draft, subject, words[0] ?? "");
  if (command === "options")
    return draft.options.push({ name: normalizeName(subject), parameters: afterWords(line, 2) }) > 0;
  if (command === "softdep") return draft.softDependencies.push(parseSoftDependency(subject, words)) > 0;
  if (command === "weakdep") return true; // says what an image should hold, nothing about loading
  if (command === "install") return takeInstall(draft, subject, afterWords(line, 2));
  // Nothing is removed here, so there is nothing to obey.
  if (command === "remove") return nameCommand(draft, "remove", subject, afterWords(line, 2));
  return false;
}

function takeAlias(draft: Draft, alias: string, module: string): boolean {
  const pattern = normalizeAlias(alias);
  return pattern !== null && draft.aliases.push({ pattern, module: normalizeName(module) }) > 0;
}

function takeInstall(draft: Draft, subject: string, command: string): boolean {
  const pattern = normalizeName(subject);
  draft.install.push({ pattern, command });
  return nameCommand(draft, "install", pattern, command);
}

/** Names a command that would have to be run. */
function nameCommand(draft: Draft, kind: "install" | "remove", pattern: string, command: string): true {
  if (judgeInstall(command) === null) {
    draft.problems.push(
      `modprobe.d: "${kind} ${pattern} ${command}" is not run, only /bin/true and /bin/false are known here`,
    );
  }
  return true;
}

/** What an install command comes to: "done" without loading anything, "refused", or null where it would have to be run. */
export function judgeInstall(command: string): "done" | "refused" | null {
  const [, word] = /^(?:(?:\/usr)?\/bin\/)?(true|false|:)$/.exec(command.trim()) ?? [];
  if (word === undefined) return null;
  return word === "false" ? "refused" : "done";
}

/** The line behind its first `count` words, tabs as blanks. */
function afterWords(line: string, count: number): string {
  return line.split(/\s+/).slice(count).join(" ");
}
