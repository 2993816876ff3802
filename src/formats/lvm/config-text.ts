/** One section of LVM's configuration text. */
export interface ConfigSection {
  readonly values: ReadonlyMap<string, ConfigValue>;
  readonly sections: ReadonlyMap<string, ConfigSection>;
}

/** A number, a string, or an array of them. */
export type ConfigValue = string | number | readonly (string | number)[];

/** Metadata nests five levels deep: group, volumes, volume, segment, and room for one more. */
const MOST_LEVELS = 8;
/** White space and comments, then one token: a name, a number, a string or a sign (libdm/libdm-config.c of lvm2). Each character can be matched in one way only, so a crafted text cannot make it backtrack. */
const TOKEN =
  /(?:[\s\0]|#[^\n]*(?:\n|$))*(?:("(?:[^"\\]|\\[\s\S])*")|([+-]?\d+(?:\.\d*)?(?![\w.+-]))|([\w.+/-]+)|([={}[\],])|$)/y;

/** Parses the text of a volume group, whose names come without a path; null if it is malformed. A name that occurs twice in a section makes it malformed, as it would mean two things. */
export function parseConfigText(text: string): ConfigSection | null {
  const next = createTokens(text);
  try {
    return parseSection(next, null, 0);
  } catch (error) {
    if (error instanceof MalformedTextError) return null;
    throw error;
  }
}

class MalformedTextError extends Error {}

function malformed(): never {
  throw new MalformedTextError();
}

type Token =
  | { readonly kind: "value"; readonly value: string | number }
  | { readonly kind: "name" | "sign" | "end"; readonly text: string };

function createTokens(text: string): () => Token {
  let at = 0;
  return () => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) malformed();
    at = TOKEN.lastIndex;
    const [, quoted, number, name, sign] = match;
    if (quoted !== undefined) return { kind: "value", value: quoted.slice(1, -1).replace(/\\(["\\])/g, "$1") };
    if (number !== undefined) return { kind: "value", value: Number(number) };
    if (name !== undefined) return { kind: "name", text: name };
    return sign === undefined ? { kind: "end", text: "" } : { kind: "sign", text: sign };
  };
}

/** Reads up to `end`, which is null for the end of the text. */
function parseSection(next: () => Token, end: "}" | null, level: number): ConfigSection {
  if (level > MOST_LEVELS) malformed();
  const values = new Map<string, ConfigValue>();
  const sections = new Map<string, ConfigSection>();
  for (let token = next(); !isEnd(token, end); token = next()) {
    const name = nameOf(token);
    if (values.has(name) || sections.has(name)) malformed();
    const sign = next();
    if (isSign(sign, "{")) sections.set(name, parseSection(next, "}", level + 1));
    else if (isSign(sign, "=")) values.set(name, parseValue(next));
    else malformed();
  }
  return { values, sections };
}

function isEnd(token: Token, end: "}" | null): boolean {
  return end === null ? token.kind === "end" : isSign(token, end);
}

/** A name may consist of digits. */
function nameOf(token: Token): string {
  if (token.kind === "name") return token.text;
  if (token.kind === "value" && typeof token.value === "number") return String(token.value);
  return malformed();
}

function parseValue(next: () => Token): ConfigValue {
  const token = next();
  if (token.kind === "value") return token.value;
  if (token.kind !== "sign" || token.text !== "[") malformed();
  const list: (string | number)[] = [];
  for (let entry = next(); !isSign(entry, "]"); ) {
    if (entry.kind !== "value") malformed();
    list.push(entry.value);
    entry = next();
    if (isSign(entry, ",")) entry = next();
    else if (!isSign(entry, "]")) malformed();
  }
  return list;
}

function isSign(token: Token, sign: string): boolean {
  return token.kind === "sign" && token.text === sign;
}
