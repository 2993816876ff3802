/** A mistake and its line, from 1. */
export interface Mistake {
  readonly line: number;
  readonly text: string;
}

/** A part of the file that sets one key, or begins a table. */
interface Statement {
  /** Of its first line, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

/** The statements of a TOML file, as far as they can be read. */
export interface Statements {
  readonly values: Readonly<Record<string, unknown>>;
  /** What is no valid TOML, a mistake for each statement at most. */
  readonly mistakes: readonly Mistake[];
  readonly lineOf: (key: string, element: number) => number;
}

/** Reads TOML; a malformed file a statement at a time, because Bun's parser stops at the first mistake and does not say where it is. */
export function readStatements(source: string): Statements {
  const whole = parse(source);
  const lineOf = (key: string, element: number) => findElement(readEach(split(source)).places.get(key), element);
  if ("values" in whole) return { values: whole.values, mistakes: [], lineOf };
  const { values, mistakes } = readEach(split(source));
  return { values, mistakes: mistakes.length === 0 ? [{ line: 1, text: whole.complaint }] : mistakes, lineOf };
}

function readEach(statements: readonly Statement[]) {
  const places = new Map<string, Statement>();
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  const set = (statement: Statement, key: string, value: unknown) => {
    const before = places.get(key);
    const joined = joinTables(values[key], value);
    values[key] = before === undefined ? value : (joined ?? values[key]);
    if (before === undefined) places.set(key, statement);
    else if (joined === null) {
      mistakes.push({ line: statement.line, text: `${key} is already set in line ${before.line}` });
    }
  };
  for (const statement of statements) {
    const result = parse(statement.lines.join("\n"));
    if ("complaint" in result) mistakes.push({ line: findLine(statement), text: result.complaint });
    for (const [key, value] of "values" in result ? Object.entries(result.values) : []) set(statement, key, value);
  }
  return { places, values, mistakes };
}

/** Returns the tables [key.A] and [key.B] as one value; null if one of them is no table. */
function joinTables(one: unknown, other: unknown): Readonly<Record<string, unknown>> | null {
  return isTable(one) && isTable(other) ? { ...one, ...other } : null;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const STATEMENT = /^\s*(?:[\w.-]+|"[^"]*"|'[^']*')\s*=/;

/** A statement begins with a key and "=" and goes on to the next one; one that begins with a table goes on to the next table. */
function split(source: string): readonly Statement[] {
  const statements: { line: number; lines: string[] }[] = [];
  for (const [index, text] of source.split("\n").entries()) {
    const current = statements.at(-1);
    const isBlank = /^\s*(?:#.*)?$/.test(text);
    const isTable = text.trimStart().startsWith("[") && !isOpen(current);
    const isInTable = current?.lines[0]?.trimStart().startsWith("[") === true;
    const isNew = isTable || (!isInTable && STATEMENT.test(text));
    if (!isNew && current !== undefined && (isInTable || isBlank || isOpen(current))) current.lines.push(text);
    else if (!isBlank) statements.push({ line: index + 1, lines: [text] });
  }
  return statements;
}

/** True if a statement is not complete, so that the next line may belong to it. */
function isOpen(statement: Statement | undefined): boolean {
  return statement !== undefined && "complaint" in parse(statement.lines.join("\n"));
}

type Parsed = { readonly values: Readonly<Record<string, unknown>> } | { readonly complaint: string };

function parse(source: string): Parsed {
  try {
    return { values: Bun.TOML.parse(source) as Record<string, unknown> };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { complaint: message.replace(/^TOML Parse error: /, "") };
  }
}

/** The mistake is in the first line after which the parser reports the same message as for the whole statement. */
function findLine({ line, lines }: Statement): number {
  const complaintOf = (count: number) => {
    const result = parse(`${lines.slice(0, count).join("\n")}\n`);
    return "complaint" in result ? result.complaint : null;
  };
  const whole = complaintOf(lines.length);
  return (
    line +
    Math.max(
      0,
      lines.findIndex((_, index) => complaintOf(index + 1) === whole),
    )
  );
}

/** An element is on the first line after which the list, closed there, has so many. */
function findElement(statement: Statement | undefined, element: number): number {
  if (statement === undefined) return 1;
  const index = statement.lines.findIndex((_, last) => {
    const closed = parse(`${statement.lines.slice(0, last + 1).join("\n")}\n]`);
    const [value] = "values" in closed ? Object.values(closed.values) : [];
    return Array.isArray(value) && value.length > element;
  });
  return statement.line + Math.max(0, index);
}
