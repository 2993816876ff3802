import type { AliasGroup, AliasTable } from "./alias-table.ts";
import type { ModuleIndex } from "./module-index.ts";

/**
 * The index as the builder writes it: text that is only cut into pieces when it is read. A first line with the kernel's
 * version, then sections: a line "KIND LENGTH", for aliases "KIND BUS LITERAL-LENGTHS LENGTH", and LENGTH characters.
 */
export const INDEX_NAME = "levain-modules";

const MAGIC = "levain-modules 1";
/** A bus without a name, and a bus without wildcards. */
const NONE = "-";
/** The last section, so that a file that was cut is known. */
const END = "end";

/** The index as text. */
export function formatIndex(index: ModuleIndex): string {
  const sections = [
    section("modules", index.modules),
    section("builtin", index.builtin),
    section("softdep", index.softDependencies),
    ...formatTable("alias", index.aliases),
    ...formatTable("builtin-alias", index.builtinAliases),
    section(END, ""),
  ];
  return `${MAGIC} ${index.kernel}\n${sections.join("")}`;
}

function formatTable(kind: string, table: AliasTable): readonly string[] {
  return [...table].map(([bus, { lengths, lines }]) =>
    section(`${kind} ${bus || NONE} ${lengths.join(",") || NONE}`, lines),
  );
}

function section(head: string, text: string): string {
  return `${head} ${text.length}\n${text}`;
}

/** Reads what `formatIndex` made; null where it is something else or was cut. */
export function parseIndex(text: string): ModuleIndex | null {
  const end = text.indexOf("\n");
  const sections = text.startsWith(`${MAGIC} `) && end !== -1 ? cutSections(text, end + 1) : null;
  if (sections?.at(-1)?.words[0] !== END) return null;
  const textOf = (kind: string) => sections.find(({ words }) => words[0] === kind)?.content ?? "";
  return {
    kernel: text.slice(MAGIC.length + 1, end),
    modules: textOf("modules"),
    builtin: textOf("builtin"),
    softDependencies: textOf("softdep"),
    aliases: tableOf("alias", sections),
    builtinAliases: tableOf("builtin-alias", sections),
  };
}

interface Section {
  /** Of its head, without the length. */
  readonly words: readonly string[];
  readonly content: string;
}

/** null where a head is none, or its text is shorter than it says. */
function cutSections(text: string, from: number): readonly Section[] | null {
  const sections: Section[] = [];
  for (let at = from; at < text.length; ) {
    const start = text.indexOf("\n", at) + 1;
    const words = text.slice(at, Math.max(at, start - 1)).split(" ");
    const length = parseCount(words.pop() ?? "");
    if (length === null || start + length > text.length) return null;
    sections.push({ words, content: text.slice(start, start + length) });
    at = start + length;
  }
  return sections;
}

function tableOf(kind: string, sections: readonly Section[]): AliasTable {
  const ours = sections.filter(({ words }) => words[0] === kind);
  const groups = ours.map(({ words: [, bus = NONE, lengths = NONE], content }): readonly [string, AliasGroup] => [
    bus === NONE ? "" : bus,
    { lengths: parseLengths(lengths), lines: content },
  ]);
  return new Map(groups);
}

function parseLengths(text: string): readonly number[] {
  return text === NONE ? [] : text.split(",").flatMap((word) => parseCount(word) ?? []);
}

function parseCount(word: string): number | null {
  return /^\d{1,9}$/.test(word) ? Number(word) : null;
}
