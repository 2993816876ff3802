/** How a directory of the root is kept on a volume: the directory itself, links to its files, or an overlay with the changes. */
export type KeepMethod = "bind" | "link" | "union";

/** A line of persistence.conf: a directory of the root, and where the volume has it. */
export interface KeptPath {
  /** Absolute, without "." and ".."; "/" is the root. */
  readonly path: string;
  /** Below the top of the volume: "/home"; "" is the top itself. */
  readonly source: string;
  readonly method: KeepMethod;
}

/** A line that is not obeyed. */
export interface IgnoredLine {
  /** From 1. */
  readonly line: number;
  /** What it should have been. */
  readonly expected: string;
}

/** More lines than anyone needs: each is a mount before the system starts. */
const MOST_PATHS = 64;
const METHODS: readonly string[] = ["bind", "link", "union"] satisfies readonly KeepMethod[];

/**
 * Parses persistence.conf of live-boot, persistence.conf(5): DIR [OPTION[,OPTION…]], with the options source=PATH, bind, link and
 * union; of the last three, the last counts. Never throws: a line that is not understood is returned as ignored.
 */
export function parsePersistenceConf(text: string): {
  readonly kept: readonly KeptPath[];
  readonly ignored: readonly IgnoredLine[];
} {
  const kept: KeptPath[] = [];
  const ignored: IgnoredLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [directory = "", ...options] = line.split(/[\s,]+/).filter((word) => word !== "");
    if (directory === "" || directory.startsWith("#")) continue;
    const read = kept.length === MOST_PATHS ? `at most ${MOST_PATHS} directories` : readLine(directory, options, kept);
    if (typeof read === "string") ignored.push({ line: index + 1, expected: read });
    else kept.push(read);
  }
  return { kept: inOrder(kept), ignored };
}

/** Returns the line's meaning, or what was expected instead. */
function readLine(directory: string, options: readonly string[], before: readonly KeptPath[]): KeptPath | string {
  const path = readAbsolute(directory);
  if (path === null || isReserved(path))
    return 'an absolute path without "..", outside /dev, /lib, /proc, /run and /sys';
  const unknown = options.find((option) => !METHODS.includes(option) && !option.startsWith("source="));
  if (unknown !== undefined) return "one of the options bind, link, union and source=PATH";
  const given = options.findLast((option) => option.startsWith("source="))?.slice("source=".length);
  const source = given === undefined ? path : readRelative(given);
  if (source === null) return 'a source= without a slash in front and without ".."';
  const one = { path, source: source === "/" ? "" : source, method: readMethod(options) };
  // The root is an overlay anyway; a copy or links of all of it would be another system.
  if (path === "/" && one.method !== "union") return "the option union for /";
  // The path of an overlay's directory is part of its options.
  if (one.method === "union" && /[:\\]/.test(path + source)) return "a path without : and \\";
  if (before.some((other) => other.path === path)) return "each directory once";
  if (before.some((other) => isBelow(other.source, one.source) || isBelow(one.source, other.source))) {
    return "a source= that is not inside that of another line, and does not contain it";
  }
  return one;
}

/** The mounts by their paths, so that none covers another; then the links, which lie in them. */
function inOrder(kept: readonly KeptPath[]): readonly KeptPath[] {
  const mounts = kept.filter(({ method }) => method !== "link");
  const byPath = (one: KeptPath, other: KeptPath) => (one.path < other.path ? -1 : 1);
  return [...mounts.toSorted(byPath), ...kept.filter(({ method }) => method === "link")];
}

function readMethod(options: readonly string[]): KeepMethod {
  const last = options.findLast((option) => METHODS.includes(option));
  return last === "link" || last === "union" ? last : "bind";
}

function readAbsolute(text: string): string | null {
  return text.startsWith("/") ? readParts(text) : null;
}

/** "." is the top of the volume. */
function readRelative(text: string): string | null {
  if (text === ".") return "/";
  return text === "" || text.startsWith("/") ? null : readParts(text);
}

function readParts(text: string): string | null {
  const parts = text.split("/").filter((part) => part !== "");
  return parts.includes("..") || parts.includes(".") || text.includes("\0") ? null : `/${parts.join("/")}`;
}

/** live-boot refuses /lib, with the drivers of the kernel; what is mounted in the others would be covered by the filesystems of the kernel. */
function isReserved(path: string): boolean {
  return /^\/(?:dev|lib|proc|run|sys)(?:\/|$)/.test(path);
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
