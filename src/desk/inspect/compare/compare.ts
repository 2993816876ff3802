import { type Part, partOf } from "../parts.ts";
import { type DirectoryNode, listTree, resolvePath, type TreeNode } from "../unpacked-tree.ts";

/** What differs at a path of two images. */
export interface Difference {
  /** In the second image, or in the first one if only that has it. */
  readonly path: string;
  readonly part: Part;
  /** Why it is listed: "only in the first", "only in the second", or the attributes that differ, such as "mode 0755 → 0644". */
  readonly what: "first" | "second" | readonly string[];
  /** The bytes of its files; null where it is no file. */
  readonly sizes: readonly [first: number | null, second: number | null];
}

/** One kernel of an image, if its modules are for exactly one. */
const MODULES_OF = /^\/((?:usr\/)?lib\/modules)\/([^/]+)\//;
const ANY_VERSION = "*";

/**
 * Compares what two images unpack to: kinds, permissions, owners, targets and contents, not times. If each has the modules of
 * one kernel, those of the same name are compared, whatever the two versions are.
 */
export function compareTrees(first: DirectoryNode, second: DirectoryNode): readonly Difference[] {
  const [one, other] = [keyTree(first), keyTree(second)];
  const inits = [resolvePath(first, "/init"), resolvePath(second, "/init")];
  const keys = [...new Set([...one.keys(), ...other.keys()])].sort();
  return keys.flatMap((key): Difference[] => {
    const [a, b] = [one.get(key), other.get(key)];
    const path = b?.path ?? a?.path ?? "";
    const part = inits.includes(path) ? "init" : partOf(path);
    const sizes = [sizeOf(a?.node), sizeOf(b?.node)] as const;
    if (a === undefined || b === undefined) return [{ path, part, what: b === undefined ? "first" : "second", sizes }];
    const changes = listChanges(a.node, b.node);
    return changes.length === 0 ? [] : [{ path, part, what: changes, sizes }];
  });
}

function keyTree(root: DirectoryNode) {
  const entries = [...listTree(root)];
  const versions = new Set(entries.flatMap(([path]) => MODULES_OF.exec(path)?.[2] ?? []));
  const [version] = versions.size === 1 ? versions : [];
  const keyOf = (path: string) => {
    const [, place, own] = MODULES_OF.exec(`${path}/`) ?? [];
    return own === undefined || own !== version ? path : path.replace(`/${place}/${own}`, `/${place}/${ANY_VERSION}`);
  };
  return new Map(entries.map(([path, node]) => [keyOf(path), { path, node }]));
}

const sizeOf = (node: TreeNode | undefined) => (node?.kind === "file" ? node.data.length : null);

const octal = (mode: number) => mode.toString(8).padStart(4, "0");

function listChanges(one: TreeNode, other: TreeNode): readonly string[] {
  if (one.kind !== other.kind) return [`${one.kind} → ${other.kind}`];
  return [
    ...(isSameContent(one, other) ? [] : [describeContent(one, other)]),
    // The kernel ignores the permissions of a symbolic link.
    ...(one.mode === other.mode || one.kind === "symlink" ? [] : [`mode ${octal(one.mode)} → ${octal(other.mode)}`]),
    ...(one.uid === other.uid && one.gid === other.gid
      ? []
      : [`owner ${one.uid}:${one.gid} → ${other.uid}:${other.gid}`]),
  ];
}

function isSameContent(one: TreeNode, other: TreeNode): boolean {
  if (one.kind === "file" && other.kind === "file") return Buffer.compare(one.data, other.data) === 0;
  if (one.kind === "symlink" && other.kind === "symlink") return one.target === other.target;
  if ("major" in one && "major" in other) return one.major === other.major && one.minor === other.minor;
  return true;
}

function describeContent(one: TreeNode, other: TreeNode): string {
  if (one.kind === "symlink" && other.kind === "symlink") return `target ${one.target} → ${other.target}`;
  if ("major" in one && "major" in other) return `device ${one.major}:${one.minor} → ${other.major}:${other.minor}`;
  return "content";
}
