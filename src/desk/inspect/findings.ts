import { INDEX_NAME } from "../../drivers/index/index-file.ts";
import { findFallbacks } from "../image/kernel-fallback.ts";
import { plainPath } from "../modules/module-file.ts";

import { isElf, isPacked, readElf } from "../program/elf.ts";
import { findMaker } from "./makers.ts";
import {
  type DirectoryNode,
  type FileNode,
  findNode,
  listFiles,
  listTree,
  resolvePath,
  type TreeNode,
} from "./unpacked-tree.ts";

/** The modules for one kernel; the version is as in `uname -r`, null for booster's, which are in /usr/lib/modules itself. */
export type KernelModules = Findings["kernels"][number];

/** What matters for a boot in an image. Paths are those after unpacking. */
export type Findings = ReturnType<typeof findOut>;

/** "program" is any other ELF file. */
export type InitKind = "levain" | "systemd" | "busybox" | "script" | "program";

const MODULE_ROOTS = ["/lib/modules", "/usr/lib/modules"];
const BUSYBOX_PLACES = ["/bin/busybox", "/usr/bin/busybox", "/sbin/busybox", "/usr/lib/initcpio/busybox"];
const SHELL_PLACES = ["/bin/sh", "/bin/bash", "/bin/ash", "/usr/bin/sh", "/usr/bin/bash"];
const CHECKER_PLACES = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

/** Examines the tree that an image unpacks to. */
export function findOut(root: DirectoryNode) {
  const firmware = [...filesBelow(root, "/usr/lib/firmware"), ...filesBelow(root, "/lib/firmware")];
  return {
    maker: findMaker(root),
    init: findInit(root),
    kernels: findKernels(root),
    busybox: firstFile(root, BUSYBOX_PLACES),
    shell: firstFile(root, SHELL_PLACES),
    /** What the kernel tries to start if it cannot start /init. */
    fallbacks: findFallbacks((path) => findNode(root, path)),
    /** Filesystem types that have a fsck. */
    checkers: findCheckers(root),
    microcode: filesBelow(root, "/kernel/x86/microcode").map(([path]) => path.replace(/^.*\/|\.bin$/g, "")),
    firmwareFiles: new Set(firmware.map(([, file]) => file)).size,
    /** Bytes of all files. */
    contentBytes: listFiles(root).reduce((sum, { data }) => sum + data.length, 0),
  };
}

/** Returns all files below a directory, with their paths from there. */
function filesBelow(root: DirectoryNode, directory: string): readonly (readonly [path: string, file: FileNode])[] {
  const node = findNode(root, directory);
  if (node?.kind !== "directory") return [];
  return [...listTree(node)].flatMap(([path, child]) => (child.kind === "file" ? [[path, child] as const] : []));
}

function findInit(root: DirectoryNode): { readonly kind: InitKind; readonly path: string } | null {
  const path = resolvePath(root, "/init");
  const node = path === null ? null : findNode(root, path);
  return path === null || node?.kind !== "file" ? null : { kind: initKind(path, node.data), path };
}

function initKind(path: string, data: Uint8Array): InitKind {
  if (path.endsWith("/systemd/systemd")) return "systemd";
  if (path.endsWith("/busybox")) return "busybox";
  if (data[0] === 0x23 && data[1] === 0x21) return "script";
  return isElf(data) && isLevain(data) ? "levain" : "program";
}

function isLevain(data: Uint8Array): boolean {
  try {
    return isPacked(data, readElf(data, "/init"));
  } catch {
    return false; // a damaged ELF file
  }
}

function findKernels(root: DirectoryNode) {
  const directories = new Set(MODULE_ROOTS.flatMap((path) => resolvePath(root, path) ?? []));
  return [...directories].flatMap((path) => {
    const node = findNode(root, path);
    if (node?.kind !== "directory") return [];
    const flat = [...node.children].filter(([name, child]) => isModule(name, child)).length;
    return [
      ...(flat === 0 ? [] : [{ version: null, count: flat, index: "none" as const }]),
      ...[...node.children].flatMap(([version, child]) =>
        child.kind === "directory" ? [{ version, count: countModules(child), index: indexOf(child) }] : [],
      ),
    ];
  });
}

function countModules(directory: DirectoryNode): number {
  return [...listTree(directory)].filter(([path, node]) => isModule(path, node)).length;
}

function isModule(path: string, node: TreeNode): boolean {
  return node.kind === "file" && plainPath(path).endsWith(".ko");
}

/** How levain looks them up: in its own index, depmod's text or binary files, or in the modules themselves. */
function indexOf(directory: DirectoryNode): "levain" | "text" | "binary" | "none" {
  const has = (name: string) => directory.children.get(name)?.kind === "file";
  if (has(INDEX_NAME)) return "levain";
  if (has("modules.dep")) return "text";
  return has("modules.dep.bin") ? "binary" : "none";
}

function findCheckers(root: DirectoryNode): readonly string[] {
  const names = CHECKER_PLACES.flatMap((path) => {
    const node = findNode(root, path);
    return node?.kind === "directory" ? [...node.children.keys()] : [];
  });
  const types = names.flatMap((name) => (name.startsWith("fsck.") ? [name.slice("fsck.".length)] : []));
  return [...new Set(types)].sort();
}

function firstFile(root: DirectoryNode, places: readonly string[]): string | null {
  const isFile = (node: TreeNode | null) => node?.kind === "file";
  return places.find((path) => isFile(findNode(root, path))) ?? null;
}
