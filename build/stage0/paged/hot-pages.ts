import { createHash } from "node:crypto";
import { type Elf, loads } from "../../../src/desk/program/elf.ts";
import { BootError } from "../../../src/problems/errors.ts";
import type { PageSet } from "./plan.ts";

/** The lists, in this directory, by target. */
export const HOT_PAGES = { x86_64: "hot-pages.txt", aarch64: "hot-pages-aarch64.txt" } as const;

/** The runtime that a list belongs to: its version, and the SHA-256 of its code. */
export type RuntimeIdentity = Readonly<{ version: string; code: string }>;

export type NamedPageSet = PageSet & Readonly<{ name: string }>;

const EXECUTE = 1;
const SET_LINE = /^(set|then) ([a-z-]+)$/;
const REMARKS = [
  "The pages of the runtime that boots and the commands of the rescue shell touch, by page number (address / 4096):",
  "a set for each kind of boot, with the pages that no set before it has; `then`: those that it touches when a person has answered.",
  "Made by bench/hot-pages.ts; the packer refuses the list of another runtime.",
];

/** Identifies a runtime by its code: trimmed data, or another program in it, change nothing about the pages it touches. */
export function identifyRuntime(program: Uint8Array, elf: Elf, version: string): RuntimeIdentity {
  const hash = createHash("sha256");
  for (const { flags, offset, fileSize, address } of loads(elf)) {
    if ((flags & EXECUTE) === 0) continue;
    hash.update(`${address} ${fileSize}\n`);
    hash.update(program.subarray(offset, offset + fileSize));
  }
  return { version, code: hash.digest("hex") };
}

/** Reads a list of hot pages for `runtime`. Throws BootError if it is of another one. */
export function readHotPages(text: string, runtime: RuntimeIdentity): readonly NamedPageSet[] {
  const [version = "", code = "", ...rest] = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const seen = `${version}, ${code}`;
  const own = identityLines(runtime).join(", ");
  if (seen !== own) {
    throw new BootError("the list of the runtime's hot pages is for another runtime", {
      seen: [`the list: ${seen}`, `this runtime: ${own}`],
      hint: "record it again: bun bench/hot-pages.ts",
    });
  }
  const sets: { name: string; pages: Set<number>; isFollowing: boolean }[] = [];
  for (const line of rest) {
    const [, kind, name = ""] = SET_LINE.exec(line) ?? [];
    if (kind === undefined) addRange(sets.at(-1)?.pages, line);
    else sets.push({ name, pages: new Set(), isFollowing: kind === "then" });
  }
  return sets;
}

function addRange(set: Set<number> | undefined, line: string): void {
  const [, first = "", last = first] = /^([0-9a-f]+)(?:-([0-9a-f]+))?$/.exec(line) ?? [];
  if (first === "" || set === undefined) throw new BootError(`the list of hot pages has an invalid line: ${line}`);
  for (let page = Number.parseInt(first, 16); page <= Number.parseInt(last, 16); page++) set.add(page);
}

/** Adds what was recorded to a list; a page stays in the first set that has it. */
export function mergeSets(
  present: readonly NamedPageSet[],
  recorded: ReadonlyMap<string, PageSet>,
): ReadonlyMap<string, PageSet> {
  const seen = new Set<number>();
  const names = new Set([...present.map(({ name }) => name), ...recorded.keys()]);
  const merge = (name: string): PageSet => {
    const both = [present.find((set) => set.name === name), recorded.get(name)].flatMap((set) => set ?? []);
    const pages = new Set(both.flatMap((set) => [...set.pages]).filter((page) => !seen.has(page)));
    for (const page of pages) seen.add(page);
    return { pages, isFollowing: both.some(({ isFollowing }) => isFollowing) };
  };
  return new Map([...names].map((name) => [name, merge(name)]));
}

/** The inverse of `readHotPages`, with a name for each set. */
export function formatHotPages(sets: ReadonlyMap<string, PageSet>, runtime: RuntimeIdentity): string {
  const lines = [...sets].flatMap(([name, { pages, isFollowing }]) => [
    `${isFollowing ? "then" : "set"} ${name}`,
    ...formatRanges(pages),
  ]);
  return `${[...REMARKS.map((line) => `# ${line}`), ...identityLines(runtime), ...lines].join("\n")}\n`;
}

function formatRanges(pages: ReadonlySet<number>): string[] {
  const ranges: [number, number][] = [];
  for (const page of [...pages].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === page - 1) last[1] = page;
    else ranges.push([page, page]);
  }
  return ranges.map(([first, last]) =>
    first === last ? first.toString(16) : `${first.toString(16)}-${last.toString(16)}`,
  );
}

function identityLines({ version, code }: RuntimeIdentity): string[] {
  return [`runtime ${version}`, `code ${code}`];
}
