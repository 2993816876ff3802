import { printable } from "../../problems/report.ts";
import { arrayUuid } from "../tables/arrays.ts";

/** Where an image has the file of a machine of a diskless rack. */
export const RACK_FILE = "/etc/levain/rack.conf";

/** The file as parameters, and what of it cannot be used, in words. */
interface RackFile {
  readonly parameters: readonly string[];
  readonly mistakes: readonly string[];
}

type Reader = (words: readonly string[]) => readonly string[] | null;

/** What each key stands for; null for a value that it cannot have. */
const KEYS: readonly (readonly [key: RegExp, read: Reader])[] = [
  [/^MODULES$/, (words) => (words.every(isName) ? words.map((name) => `rd.driver.pre=${name}`) : null)],
  [/^AOE_IFACES$/, (words) => (words.every(isName) ? [`rd.aoe=${words.join(",")}`] : null)],
  [/^RAID\w*$/, readRaid],
  [/^IP$/, (words) => words.map((word) => `ip=${word}`)],
  [/^ROOT$/, (words) => one("root", words)],
  [/^ROOTFSTYPE$/, (words) => one("rootfstype", words)],
  [/^ROOTFLAGS$/, (words) => one("rootflags", words)],
  [/^INIT$/, (words) => one("init", words)],
];

const isName = (word: string) => /^[\w.@-]+$/.test(word);

function one(name: string, words: readonly string[]): readonly string[] | null {
  return words.length === 1 ? [`${name}=${words[0]}`] : null;
}

/** An array is started by its UUID; its device and its members stand in the superblocks. */
function readRaid(words: readonly string[]): readonly string[] | null {
  const parts = words.flatMap((word) => word.split(",")).filter((part) => !part.startsWith("/dev/"));
  const uuids = parts.map((part) => part.replace(/^UUID=/i, ""));
  if (uuids.length === 0 || !uuids.every((uuid) => /^[0-9a-f]{8}(?:[:-]?[0-9a-f]{4}){6}$/i.test(uuid))) return null;
  return uuids.map((uuid) => `rd.md.uuid=${arrayUuid(uuid)}`);
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$/;

/** True for a file of assignments, as a shell reads them, and for no TOML of levain: its keys are lower case. */
export function isRackFile(text: string): boolean {
  const lines = contentLines(text);
  return lines.length > 0 && lines.every((line) => ASSIGNMENT.test(line));
}

/** Parses the file of a machine of a diskless rack: assignments such as `MODULES=e1000 aoe`, with or without quotes. */
export function parseRackFile(text: string): RackFile {
  const all = contentLines(text).map(readLine);
  return {
    parameters: all.flatMap((found) => (typeof found === "string" ? [] : found)),
    mistakes: all.filter((found) => typeof found === "string").map(printable),
  };
}

/** Returns the parameters of a line, or why there are none. */
function readLine(line: string): readonly string[] | string {
  const [, key, raw = ""] = ASSIGNMENT.exec(line) ?? [];
  if (key === undefined) return `"${line.trim().slice(0, 80)}" is no assignment`;
  const read = KEYS.find(([shape]) => shape.test(key))?.[1];
  if (read === undefined) return `${key}= is not known`;
  const value = unquote(raw);
  const words = value?.split(/\s+/).filter((word) => word !== "") ?? [];
  if (value !== null && words.length === 0) return [];
  return (value === null ? null : read(words)) ?? `${key}= cannot be ${raw.trim().slice(0, 80)}`;
}

function contentLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => !/^\s*(?:#|$)/.test(line));
}

/** Returns the value without quotes and comment; null for one that only a shell could work out. */
function unquote(raw: string): string | null {
  const quoted = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(raw)?.[2];
  const value = quoted ?? raw.replace(/\s#.*$/, "").trim();
  return /[$`\\"']/.test(value) ? null : value;
}
