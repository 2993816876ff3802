import type { AliasGroup, AliasTable } from "./alias-table.ts";
import type { ModuleIndex } from "./module-index.ts";

/**
 * The file of the index: text that the boot only cuts into pieces. A first line with the kernel's version, then sections: a line
 * "KIND LENGTH", for aliases "KIND BUS LITERAL-LENGTHS LENGTH", and LENGTH characters.
 */
export const INDEX_NAME = "levain-modules";

const MAGIC = "levain-modules 1";
/** A bus without a name, and a bus without wildcards. */
const NONE = "-";
/** The last section, by which a truncated file is recognised. */
const END = "end";

/** Formats the index as text. */
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
  return [...table.keys()].map((bus) => {
    const { lengths, lines } = table.get(bus) ?? { lengths: [], lines: "" };
    return section(`${kind} ${bus || NONE} ${lengths.join(",") || NONE}`, lines);
  });
}

function section(head: string, text: string): string {
  return `${head} ${text.length}\n${text}`;
}

/** Parses the text of `formatIndex`; null for anything else, or if it is truncated. */
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
  /** The words of its head, without the length. */
  readonly words: readonly string[];
  readonly content: string;
}

/** null if a head is malformed, or a text is shorter than its length. */
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
    { lengths: lengths === NONE ? [] : lengths.split(",").flatMap((word) => parseCount(word) ?? []), lines: content },
  ]);
  return new Map(groups);
}

function parseCount(word: string): number | null {
  return /^\d{1,9}$/.test(word) ? Number(word) : null;
}
