import { type DirectoryNode, type FileNode, listTree, resolvePath } from "./unpacked-tree.ts";

/** What the files of an image are for; the first row that matches a path counts. */
const PARTS = [
  ["microcode", /^\/kernel\/x86\/microcode\//],
  ["firmware", /^\/(usr\/)?lib\/firmware\//],
  ["modules", /^\/(usr\/)?lib\/modules\//],
  ["BusyBox", /\/busybox$/],
  ["libraries", /\/lib[^/]*\/(.*\/)?[^/]+\.so(\.[\d.]+)?$/],
  ["programs", /^\/(usr\/)?(s?bin|lib|libexec|lib\/systemd)\/[^/]+$/],
  ["configuration", /^\/(usr\/(share|lib)|conf|etc|scripts|hooks)\//],
] as const;

/** A part of an image. */
export type Part = "init" | (typeof PARTS)[number][0] | "other";

/** A file of an image, hard links once. */
export interface ImageFile {
  /** The first of its names, absolute. */
  readonly path: string;
  readonly size: number;
  readonly part: Part;
}

/** Returns every file of an unpacked image with the part that it belongs to, sorted by path. */
export function listParts(root: DirectoryNode): readonly ImageFile[] {
  const init = resolvePath(root, "/init");
  const seen = new Set<FileNode>();
  return [...listTree(root)].flatMap(([path, node]) => {
    if (node.kind !== "file" || seen.has(node)) return [];
    seen.add(node);
    return [{ path, size: node.data.length, part: path === init ? "init" : partOf(path) }];
  });
}

/** Returns the part of an image that a path belongs to, unless it is that of the init. */
export function partOf(path: string): Exclude<Part, "init"> {
  return PARTS.find(([, pattern]) => pattern.test(path))?.[0] ?? "other";
}

/** Returns the bytes and the number of files of each part, the largest first. */
export function sumParts(files: readonly ImageFile[]) {
  const sums = [...Map.groupBy(files, ({ part }) => part)].map(([part, own]) => ({
    part,
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    files: own.length,
  }));
  return sums.filter(({ bytes }) => bytes > 0).sort((one, other) => other.bytes - one.bytes);
}
