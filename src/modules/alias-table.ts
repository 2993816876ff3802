import type { AliasLine } from "./kernel-files.ts";
import { matchesWildcard } from "./wildcard.ts";

/**
 * Patterns in an order that a boot can ask in without looking at most of them: by their LITERAL, which is what stands
 * before the first wildcard. An alias is cut to each length that literals of its bus have, and looked up.
 */
export interface AliasTable {
  /** Bus ("pci", "usb", …; "" for patterns without) → the lengths of its literals that have something behind them. */
  readonly lengths: Readonly<Record<string, readonly number[]>>;
  /** LITERAL → "REST ORDER MODULE" for each pattern, REST beginning with the wildcard, all divided by tabs. */
  readonly patterns: Readonly<Record<string, string>>;
}

/** Makes the table. `orderOf` gives the place of a module among several with the same alias. */
export function buildAliasTable(aliases: readonly AliasLine[], orderOf: (module: string) => number): AliasTable {
  const lengths = new Map<string, Set<number>>();
  const patterns = new Map<string, string>();
  for (const { pattern, module } of aliases) {
    if (/[\t\n]/.test(pattern)) continue; // no modalias has one: they are lines of sysfs
    const wildcard = pattern.search(/[*?[\\]/);
    const literal = wildcard === -1 ? pattern : pattern.slice(0, wildcard);
    const before = patterns.get(literal);
    const entry = `${pattern.slice(literal.length)}\t${orderOf(module)}\t${module}`;
    patterns.set(literal, before === undefined ? entry : `${before}\t${entry}`);
    if (wildcard === -1) continue;
    const bus = busOf(literal);
    lengths.set(bus, (lengths.get(bus) ?? new Set()).add(wildcard));
  }
  const sorted = [...lengths].map(([bus, all]) => [bus, [...all].sort((a, b) => a - b)] as const);
  return { lengths: Object.fromEntries(sorted), patterns: Object.fromEntries(patterns) };
}

/** The modules with a pattern that matches `alias` (in normal form), in their order, each once. */
export function findByAlias(table: AliasTable, alias: string): readonly string[] {
  const found = findLiteral(table, alias, "");
  const bus = busOf(alias);
  for (const length of [...lengthsOf(table, bus), ...(bus === "" ? [] : lengthsOf(table, ""))]) {
    if (length <= alias.length) found.push(...findLiteral(table, alias.slice(0, length), alias.slice(length)));
  }
  if (found.length < 2) return found.map(({ module }) => module);
  return [...new Set(found.sort((a, b) => a.order - b.order).map(({ module }) => module))];
}

/** What is before the first ":"; "" where there is none. */
function busOf(literal: string): string {
  return literal.slice(0, Math.max(0, literal.indexOf(":")));
}

function lengthsOf({ lengths }: AliasTable, bus: string): readonly number[] {
  return Object.hasOwn(lengths, bus) ? (lengths[bus] ?? []) : [];
}

interface Match {
  readonly order: number;
  readonly module: string;
}

/** The patterns with this LITERAL whose REST takes the rest of the alias. */
function findLiteral({ patterns }: AliasTable, literal: string, rest: string): Match[] {
  const found: Match[] = [];
  const entry = Object.hasOwn(patterns, literal) ? patterns[literal] : undefined;
  if (typeof entry !== "string") return found;
  const parts = entry.split("\t");
  for (let at = 0; at + 2 < parts.length; at += 3) {
    if (matchesWildcard(parts[at] ?? "", rest))
      found.push({ order: Number(parts[at + 1]), module: parts[at + 2] ?? "" });
  }
  return found;
}
