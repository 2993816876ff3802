import { type AliasLine, parseAliases } from "./kernel-files.ts";
import { normalizeName } from "./names.ts";
import { findLines, sortLines } from "./sorted-lines.ts";
import { matchesWildcard } from "./wildcard.ts";

/**
 * The patterns of one bus ("pci", "usb", …; "" for those without a bus), looked up by their LITERAL, the part before the first
 * wildcard: an alias is cut to each length of a literal.
 */
export interface AliasGroup {
  /** The lengths of the literals that a wildcard follows. */
  readonly lengths: readonly number[];
  /** Sorted lines "LITERAL\tREST\tORDER\tMODULE"; REST begins with the wildcard. */
  readonly lines: string;
}

/** Bus → its patterns. */
export type AliasTable = Pick<ReadonlyMap<string, AliasGroup>, "get" | "keys">;

const ALIAS = "alias ";

/** Builds the table. `orderOf` returns the place of a module among several with the same alias. */
export function buildAliasTable(
  aliases: readonly AliasLine[],
  orderOf: (module: string) => number,
): ReadonlyMap<string, AliasGroup> {
  const groups = new Map<string, { readonly lengths: Set<number>; readonly lines: string[] }>();
  for (const { pattern, module } of aliases) {
    if (/[\t\n]/.test(pattern)) continue; // no modalias matches: it is one line of sysfs
    const wildcard = pattern.search(/[*?[\\]/);
    const literal = wildcard === -1 ? pattern : pattern.slice(0, wildcard);
    const group = groups.get(busOf(literal)) ?? { lengths: new Set(), lines: [] };
    groups.set(busOf(literal), group);
    if (wildcard !== -1) group.lengths.add(wildcard);
    group.lines.push(`${literal}\t${pattern.slice(literal.length)}\t${orderOf(module)}\t${module}`);
  }
  const ascending = (lengths: Iterable<number>) => [...lengths].sort((a, b) => a - b);
  return new Map(
    [...groups].map(([bus, { lengths, lines }]) => [bus, { lengths: ascending(lengths), lines: sortLines(lines) }]),
  );
}

/**
 * Reads the table from the text of modules.alias. The lines of a bus are parsed when one of its aliases is looked up: a kernel of a
 * distribution has 26,000, of which `levain image` needs those of no bus.
 */
export function readAliasTable(text: string, orderOf: (module: string) => number): AliasTable {
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (!line.startsWith(ALIAS)) continue;
    const bus = busOf(line.slice(ALIAS.length, line.trimEnd().lastIndexOf(" ")).trimStart());
    const name = /[*?[\\\]]/.test(bus) ? "" : normalizeName(bus);
    const group = lines.get(name);
    if (group === undefined) lines.set(name, [line]);
    else group.push(line);
  }
  const parsed = new Map<string, AliasGroup | undefined>();
  const get = (bus: string) => {
    if (!parsed.has(bus))
      parsed.set(bus, buildAliasTable(parseAliases((lines.get(bus) ?? []).join("\n")), orderOf).get(bus));
    return parsed.get(bus);
  };
  return { get, keys: () => lines.keys() };
}

/** Returns the modules with a pattern that matches `alias` (in normal form), in their order, each once. */
export function findByAlias(table: AliasTable, alias: string): readonly string[] {
  const bus = busOf(alias);
  const found = searchGroup(table.get(bus), alias);
  if (bus !== "") found.push(...searchGroup(table.get(""), alias)); // "acpi*:PNP0A03:*" has no bus
  if (found.length < 2) return found.map(({ module }) => module);
  return [...new Set(found.sort((a, b) => a.order - b.order).map(({ module }) => module))];
}

/** The part before the first ":"; "" without one. */
function busOf(literal: string): string {
  return literal.slice(0, Math.max(0, literal.indexOf(":")));
}

function searchGroup(group: AliasGroup | undefined, alias: string) {
  if (group === undefined) return [];
  const found = matchLines(findLines(group.lines, `${alias}\t\t`), "");
  for (const length of group.lengths) {
    if (length > alias.length) break;
    found.push(...matchLines(findLines(group.lines, `${alias.slice(0, length)}\t`), alias.slice(length)));
  }
  return found;
}

/** Returns those lines "REST\tORDER\tMODULE", or "ORDER\tMODULE" if REST is empty, that match the rest of the alias. */
function matchLines(lines: readonly string[], rest: string) {
  return lines.flatMap((line) => {
    const parts = line.split("\t");
    const [pattern = "", order, module] = parts.length === 2 ? ["", ...parts] : parts;
    if (module === undefined || !matchesWildcard(pattern, rest)) return [];
    return [{ order: Number(order), module }];
  });
}
