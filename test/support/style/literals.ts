/** Text of a source file that a person may read, and the line where it begins. */
export interface Literal {
  readonly line: number;
  /** What stands between the quotes; `${…}` of a template is one `…`. */
  readonly text: string;
}

/** After one of these a slash begins a regular expression; anywhere else it divides. */
const BEFORE_EXPRESSION = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|of|in))\s*$/;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const EXPRESSION = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const QUOTED = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y;

/**
 * Returns every string and template literal of TypeScript source, comments and regular expressions left out; a literal
 * inside `${…}` follows the template that it is in.
 */
export function literalsOf(source: string): Literal[] {
  return scan(source, 0, false).literals;
}

interface Scan {
  readonly literals: Literal[];
  /** Where the scan ended: behind the last character, or behind the brace that closes a template's expression. */
  readonly end: number;
}

function scan(source: string, start: number, inTemplate: boolean): Scan {
  const literals: Literal[] = [];
  let depth = 0;
  let at = start;
  while (at < source.length) {
    if (source[at] === "{") depth += 1;
    if (source[at] === "}") depth -= 1;
    if (inTemplate && depth < 0) return { literals, end: at + 1 };
    const token = scanToken(source, at, start);
    literals.push(...token.literals);
    at = token.end;
  }
  return { literals, end: at };
}

function scanToken(source: string, at: number, start: number): Scan {
  if (source[at] === "`") return scanTemplate(source, at);
  const quoted = match(QUOTED, source, at);
  if (quoted !== null) {
    return { literals: [{ line: lineOf(source, at), text: unquote(quoted.slice(1, -1)) }], end: at + quoted.length };
  }
  const before = source.slice(Math.max(start, at - 40), at);
  const expression = BEFORE_EXPRESSION.test(before) ? match(EXPRESSION, source, at) : null;
  return { literals: [], end: at + (match(COMMENT, source, at) ?? expression ?? " ").length };
}

function scanTemplate(source: string, start: number): Scan {
  const inside: Literal[] = [];
  let text = "";
  let at = start + 1;
  while (at < source.length && source[at] !== "`") {
    if (source.startsWith("${", at)) {
      const expression = scan(source, at + 2, true);
      inside.push(...expression.literals);
      text += "…";
      at = expression.end;
    } else {
      const length = source[at] === "\\" ? 2 : 1;
      text += source.slice(at, at + length);
      at += length;
    }
  }
  return { literals: [{ line: lineOf(source, start), text: unquote(text) }, ...inside], end: at + 1 };
}

function match(expression: RegExp, source: string, at: number): string | null {
  expression.lastIndex = at;
  return expression.exec(source)?.[0] ?? null;
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

/** Enough for prose: a quoted character is itself, any other escape separates words. */
function unquote(text: string): string {
  return text.replace(/\\(u\{[0-9a-f]+\}|u[0-9a-f]{4}|x[0-9a-f]{2}|.)/gi, (_, escaped: string) =>
    /^[`"'\\$]$/.test(escaped) ? escaped : " ",
  );
}
