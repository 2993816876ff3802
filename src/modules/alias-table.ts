import type { AliasLine } from "./kernel-files.ts";
import { matchesWildcard } from "./wildcard.ts";

/**
 * Patterns that can be asked for without looking at most of them and without building anything first: a boot asks for
 * a few of ten thousand. The patterns of one bus ("pci", "usb", …; "" for those without) are lines of one text,
 * "LITERAL\tREST\tORDER\tMODULE", sorted, where REST begins with the first wildcard and LITERAL is what is before it.
 */
export interface AliasGroup {
  /** Each length that a LITERAL of this group has. */
  readonly lengths: readonly number[];
  readonly lines: string;
}

/** Bus → its patterns. */
export type AliasTable = Readonly<Record<string, AliasGroup>>;

/** Sorts patterns into a table. `orderOf` gives the place of a module among several with the same alias. */
export function buildAliasTable(aliases: readonly AliasLine[], orderOf: (module: string) => number): AliasTable {
  const groups = new Map<string, { lengths: Set<number>; lines: Set<string> }>();
  for (const { pattern, module } of aliases) {
    if (/[\t\n]/.test(pattern)) continue; // no modalias has one: they are lines of sysfs
    const wildcard = pattern.search(/[*?[\\]/);
    const literal = wildcard === -1 ? pattern : pattern.slice(0, wildcard);
    const bus = busOf(literal);
    const group = groups.get(bus) ?? { lengths: new Set(), lines: new Set() };
    groups.set(bus, group);
    group.lengths.add(literal.length);
    group.lines.add(`${literal}\t${pattern.slice(literal.length)}\t${orderOf(module)}\t${module}\n`);
  }
  return Object.fromEntries([...groups].sort(byKey).map(([bus, group]) => [bus, freeze(group)]));
}

function freeze({ lengths, lines }: { lengths: Set<number>; lines: Set<string> }): AliasGroup {
  return { lengths: [...lengths].sort((a, b) => a - b), lines: [...lines].sort().join("") };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The modules with a pattern that matches `alias` (in normal form), in their order, each once. */
export function findByAlias(table: AliasTable, alias: string): readonly string[] {
  const buses = [...new Set([busOf(alias), ""])];
  const found = buses.flatMap((bus) => (Object.hasOwn(table, bus) ? searchGroup(table[bus], alias) : []));
  if (found.length < 2) return found.map(({ module }) => module);
  return [...new Set(found.sort((a, b) => a.order - b.order).map(({ module }) => module))];
}

/** What is before the first ":"; "" where there is none. */
function busOf(literal: string): string {
  return literal.slice(0, Math.max(0, literal.indexOf(":")));
}

interface Match {
  readonly order: number;
  readonly module: string;
}

function searchGroup(group: AliasGroup | undefined, alias: string): readonly Match[] {
  const found: Match[] = [];
  for (const length of group?.lengths ?? []) {
    if (group === undefined || length > alias.length) break;
    const key = `${alias.slice(0, length)}\t`;
    const rest = alias.slice(length);
    const { lines } = group;
    for (let at = firstNotBefore(lines, key); lines.startsWith(key, at); ) {
      const end = lines.indexOf("\n", at);
      const [pattern = "", order = "", module = ""] = lines.slice(at + key.length, end).split("\t");
      if (matchesWildcard(pattern, rest)) found.push({ order: Number(order), module });
      at = end + 1;
    }
  }
  return found;
}

/** Where the first line begins that is `key` or sorts after it: a binary search over the text itself. */
function firstNotBefore(lines: string, key: string): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = middle === 0 ? 0 : lines.lastIndexOf("\n", middle - 1) + 1;
    if (lines.slice(start, start + key.length) >= key) high = start;
    else low = lines.indexOf("\n", middle) + 1;
  }
  return low;
}
