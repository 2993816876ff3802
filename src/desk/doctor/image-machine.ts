import type { FileStatus, Machine } from "../../machine/machine.ts";
import { SyscallError } from "../../problems/errors.ts";
import { type DirectoryNode, findNode, findWay, splitPath, type TreeNode } from "../inspect/unpacked-tree.ts";

/** Of the running system, a boot of the image sees its hardware only. */
const SHARED = /^\/(?:sys|proc|dev)(?:\/|$)/;

/**
 * Returns the machine as a boot of an image sees it before it has mounted anything: the files are those of the image, the devices
 * are those of `machine`, the command line and the kernel are given. Only for reading.
 */
export function imageMachine(
  machine: Machine,
  root: DirectoryNode,
  { cmdline, release }: { readonly cmdline: string; readonly release: string },
): Machine {
  const isShared = (path: string) => SHARED.test(path);
  const look = (call: string, path: string): TreeNode => {
    const node = findNode(root, path);
    if (node === null) throw new SyscallError(call, "ENOENT", path);
    return node;
  };
  const readFile = (path: string) => {
    if (path === "/proc/cmdline") return new TextEncoder().encode(`${cmdline}\n`);
    if (isShared(path)) return machine.readFile(path);
    const node = look("open", path);
    if (node.kind === "file") return node.data;
    throw new SyscallError("read", node.kind === "directory" ? "EISDIR" : "ENXIO", path);
  };
  return {
    ...machine,
    release: () => ({ ...machine.release(), release }),
    readFile,
    openReader(path, isWhole) {
      if (isShared(path)) return machine.openReader(path, isWhole);
      const bytes = readFile(path);
      return {
        size: bytes.length,
        read: (offset, length) => bytes.subarray(offset, offset + length),
        close: () => undefined,
      };
    },
    listDirectory(path) {
      if (isShared(path)) return machine.listDirectory(path);
      const node = look("open", path);
      if (node.kind !== "directory") throw new SyscallError("getdents64", "ENOTDIR", path);
      return [...node.children.keys()].sort();
    },
    stat: (path) => (isShared(path) ? machine.stat(path) : describe(findNode(root, path))),
    lstat: (path) => (isShared(path) ? machine.lstat(path) : describe(findLast(root, path))),
    readLink(path) {
      if (isShared(path)) return machine.readLink(path);
      const node = findLast(root, path);
      if (node?.kind === "symlink") return node.target;
      throw new SyscallError("readlink", node === null ? "ENOENT" : "EINVAL", path);
    },
  };
}

/** Returns the node at a path, a link itself at its end. */
function findLast(root: DirectoryNode, path: string): TreeNode | null {
  const parts = splitPath(path);
  const name = parts.pop();
  if (name === undefined) return root;
  const parent = findWay(root, parts)?.at(-1)?.[1] ?? (parts.length === 0 ? root : null);
  return parent?.kind === "directory" ? (parent.children.get(name) ?? null) : null;
}

function describe(node: TreeNode | null): FileStatus | null {
  if (node === null) return null;
  const represents = "major" in node ? `${node.major}:${node.minor}` : null;
  const size = node.kind === "file" ? node.data.length : 0;
  return { kind: node.kind, mode: node.mode, size, device: "0:0", represents };
}
