import { readFileSync } from "node:fs";
import { join } from "node:path";

const PAGE = join(import.meta.dir, "../../../docs/network.md");

/** A recipe of docs/network.md: a line of its tables that begin with "you want", or a block of commands or a file. */
export interface Recipe {
  /** What a line is for, or the first line of a block. */
  readonly name: string;
  /** The code in a line, or the block. */
  readonly code: readonly string[];
  readonly kind: "line" | "block";
  /** The comments `<!-- test: FILE: NAME -->` directly above the table or the block. */
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

const BLOCK =
  /(?<tests>(?:<!-- test: .* -->\n)*)(?:```(?<info>\w*)\n(?<text>[\s\S]*?)^```$|(?<table>\| you want \| write \|\n(?:\|.*\n)+))/gm;

/** Returns all recipes of the page. What levain itself prints or reads (`$ levain …`) is none. */
export function networkRecipes(): readonly Recipe[] {
  return [...readFileSync(PAGE, "utf8").matchAll(BLOCK)].flatMap(({ groups = {} }) => {
    const tests = [...(groups["tests"] ?? "").matchAll(/<!-- test: (\S+): (.*) -->/g)].map(
      ([, file = "", name = ""]) => ({ file, name }),
    );
    const { text, table } = groups;
    if (table !== undefined) return tableRows(table).map((row) => ({ ...row, tests }));
    if (text === undefined || /^(?:\$| {2})/.test(text)) return [];
    return [{ name: text.split("\n")[0] ?? "", code: [text], kind: "block" as const, tests }];
  });
}

function tableRows(table: string): readonly Omit<Recipe, "tests">[] {
  const lines = table.trim().split("\n").slice(2);
  return lines.map((line) => {
    const [, name = "", write = ""] = line.split("|").map((cell) => cell.trim());
    return { name, code: [...write.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code), kind: "line" as const };
  });
}

/** Returns the block of docs/network.md that begins with `start`. Throws if there is none. */
export function recipe(start: string): string {
  const found = networkRecipes().find(({ kind, code }) => kind === "block" && code[0]?.startsWith(start));
  if (found === undefined) throw new Error(`docs/network.md has no recipe that begins with ${start}`);
  return found.code[0] ?? "";
}
