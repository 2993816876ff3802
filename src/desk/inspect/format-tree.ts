import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import type { ImageFile } from "./parts.ts";

/** A directory with the sum of what is below it, or a file. */
interface Branch {
  name: string;
  bytes: number;
  files: number;
  readonly branches: Map<string, Branch>;
}

/** What is smaller than this part of the whole is counted, not shown. */
const LEAST_SHARE = 1 / 200;

/** Formats the files of an image as a tree, the largest first, a line each: "   9.1 MiB    usr/lib/modules". */
export function formatTree(files: readonly ImageFile[]): readonly string[] {
  const root: Branch = makeBranch("");
  for (const { path, size } of files) grow(root, path, size);
  return list(root, 0, root.bytes * LEAST_SHARE);
}

const makeBranch = (name: string): Branch => ({ name, bytes: 0, files: 0, branches: new Map() });

function grow(root: Branch, path: string, size: number): void {
  let at = root;
  for (const name of ["", ...path.split("/").slice(1)]) {
    if (name !== "") at = at.branches.getOrInsertComputed(name, () => makeBranch(name));
    at.bytes += size;
    at.files += 1;
  }
}

function list(branch: Branch, depth: number, least: number): readonly string[] {
  const { name, bytes, branches } = branch;
  const only = branches.size === 1 && depth > 0 ? [...branches.values()][0] : undefined;
  // A directory with a single entry is shown on its line.
  if (only !== undefined) return list({ ...only, name: `${name}/${only.name}` }, depth, least);
  const sorted = [...branches.values()].sort((one, other) => other.bytes - one.bytes);
  const shown = sorted.filter((each) => each.bytes >= least && each.bytes > 0);
  const rest = sorted.filter((each) => !shown.includes(each));
  const count = rest.reduce((sum, { files }) => sum + files, 0);
  const restBytes = rest.reduce((sum, each) => sum + each.bytes, 0);
  const all = shown.length === 0;
  return [
    row(
      bytes,
      depth,
      `${name}${branches.size > 0 || depth === 0 ? "/" : ""}${all && count > 0 ? `  (${count} ${count === 1 ? "file" : "files"})` : ""}`,
    ),
    ...shown.flatMap((each) => list(each, depth + 1, least)),
    ...(all || count === 0 ? [] : [row(restBytes, depth + 1, `(${count} more ${count === 1 ? "file" : "files"})`)]),
  ];
}

/** Sizes are in a column of their own, so that names begin below each other. */
const SIZE_COLUMN = 10;

function row(bytes: number, depth: number, text: string): string {
  return `${formatBytes(bytes).padStart(SIZE_COLUMN)}  ${"  ".repeat(depth)}${printable(text)}`;
}
