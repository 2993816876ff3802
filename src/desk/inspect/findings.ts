import { INDEX_NAME } from "../../drivers/index/index-file.ts";
import { BUSYBOX_PLACES, SHELLS } from "../../filesystems/busybox.ts";
import { CHECKER_PLACES } from "../../filesystems/check.ts";
import { findFallbacks } from "../image/kernel-fallback.ts";
import { plainPath } from "../modules/module-file.ts";
import { isElf, isPacked, isPaged, readElf } from "../program/elf.ts";
import type { RuntimeKind } from "../program/init-program.ts";
import {
  type DirectoryNode,
  type FileNode,
  findNode,
  listFiles,
  listTree,
  resolvePath,
  type TreeNode,
} from "./unpacked-tree.ts";

/** The modules for one kernel; the version is as in `uname -r`, null if they are in no directory of its name: booster's, tiny-initramfs'. */
export type KernelModules = Findings["kernels"][number];

/** What matters for a boot in an image. Paths are those after unpacking. */
export type Findings = ReturnType<typeof findOut>;

const MODULE_ROOTS = ["/lib/modules", "/usr/lib/modules"];

/** Examines the tree that an image unpacks to. */
export function findOut(root: DirectoryNode) {
  const firmware = [...filesBelow(root, "/usr/lib/firmware"), ...filesBelow(root, "/lib/firmware")];
  return {
    maker: findMaker(root),
    init: findInit(root),
    kernels: findKernels(root),
    busybox: firstFile(root, [...BUSYBOX_PLACES, "/usr/lib/initcpio/busybox"]),
    shell: firstFile(root, SHELLS),
    /** What the kernel tries to start if it cannot start /init. */
    fallbacks: findFallbacks((path) => findNode(root, path)),
    /** Filesystem types that have a fsck. */
    checkers: findCheckers(root),
    microcode: filesBelow(root, "/kernel/x86/microcode").map(([path]) => path.replace(/^.*\/|\.bin$/g, "")),
    firmwareFiles: new Set(firmware.map(([, file]) => file)).size,
    contentBytes: listFiles(root).reduce((sum, { data }) => sum + data.length, 0),
  };
}

function filesBelow(root: DirectoryNode, directory: string): readonly (readonly [path: string, file: FileNode])[] {
  const node = findNode(root, directory);
  if (node?.kind !== "directory") return [];
  return [...listTree(node)].flatMap(([path, child]) => (child.kind === "file" ? [[path, child] as const] : []));
}

function childrenOf(root: DirectoryNode, directory: string): readonly (readonly [name: string, child: TreeNode])[] {
  const node = findNode(root, directory);
  return node?.kind === "directory" ? [...node.children] : [];
}

function findInit(root: DirectoryNode) {
  const path = resolvePath(root, "/init");
  const node = path === null ? null : findNode(root, path);
  if (path === null || node?.kind !== "file") return null;
  const runtime = isElf(node.data) ? findRuntime(node.data) : null;
  return { kind: runtime === null ? initKind(path, node.data) : ("levain" as const), path, runtime };
}

/** "program" is any ELF file. */
function initKind(path: string, data: Uint8Array) {
  if (path.endsWith("/systemd/systemd")) return "systemd" as const;
  if (path.endsWith("/busybox")) return "busybox" as const;
  return data[0] === 0x23 && data[1] === 0x21 ? ("script" as const) : ("program" as const);
}

/** Returns which runtime levain has as /init; null if the program is not levain. */
function findRuntime(data: Uint8Array): RuntimeKind | null {
  try {
    const elf = readElf(data, "/init");
    if (!isPacked(data, elf)) return null;
    return isPaged(data, elf) ? "paged" : "plain";
  } catch {
    return null; // a damaged ELF file
  }
}

function findKernels(root: DirectoryNode) {
  // tiny-initramfs has them in "/" itself.
  const top = childrenOf(root, "/").filter(([name, child]) => isModule(name, child)).length;
  const directories = new Set(MODULE_ROOTS.flatMap((path) => resolvePath(root, path) ?? []));
  const own = top === 0 ? [] : [{ version: null, count: top, index: "none" as const }];
  const below = [...directories].flatMap((path) => {
    const children = childrenOf(root, path);
    const flat = children.filter(([name, child]) => isModule(name, child)).length;
    return [
      ...(flat === 0 ? [] : [{ version: null, count: flat, index: "none" as const }]),
      ...children.flatMap(([version, child]) =>
        child.kind === "directory" ? [{ version, count: countModules(child), index: indexOf(child) }] : [],
      ),
    ];
  });
  return [...own, ...below];
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
  const names = CHECKER_PLACES.flatMap((path) => childrenOf(root, path).map(([name]) => name));
  const types = names.flatMap((name) => (name.startsWith("fsck.") ? [name.slice("fsck.".length)] : []));
  return [...new Set(types)].sort();
}

function firstFile(root: DirectoryNode, places: readonly string[]): string | null {
  return places.find((path) => findNode(root, path)?.kind === "file") ?? null;
}

/** A tool that makes images, known by files that only its images have. */
interface Maker {
  readonly name: string;
  /** Its images have all of these. */
  readonly markers: readonly string[];
  readonly version?: (root: DirectoryNode) => string | null;
  /** Files that only its own init uses. */
  readonly ownFiles: readonly string[];
}

// The first match counts: images of dracut with systemd, and of initramfs-tools with live-boot, would match others, too.
const MAKERS: readonly Maker[] = [
  { name: "levain", markers: ["/etc/levain.json"], ownFiles: [] },
  {
    name: "dracut",
    markers: ["/usr/lib/dracut"],
    version: (root) => childName(root, "/usr/lib/dracut", /^dracut-(\d.*)$/),
    ownFiles: ["/usr/lib/dracut/hooks", "/etc/cmdline.d", "/etc/conf.d"],
  },
  {
    name: "initramfs-tools",
    markers: ["/conf/initramfs.conf", "/scripts/functions"],
    ownFiles: ["/scripts", "/conf"],
  },
  {
    name: "mkinitcpio",
    markers: ["/init_functions", "/config"],
    version: (root) => /^VERSION=(\S+)$/m.exec(textOf(root, "/VERSION"))?.[1] ?? null,
    ownFiles: ["/hooks", "/config", "/init_functions"],
  },
  { name: "booster", markers: ["/etc/booster.init.yaml"], ownFiles: ["/etc/booster.init.yaml"] },
  { name: "tiny-initramfs", markers: ["/modules", "/target"], ownFiles: ["/modules"] },
];

/** Returns the tool that made an image, as "dracut 059-4"; null if unknown. */
function findMaker(root: DirectoryNode): string | null {
  const maker = findIn(root);
  if (maker === undefined) return null;
  const version = maker.version?.(root) ?? null;
  const isLive = findNode(root, "/scripts/live") !== null;
  return `${maker.name}${version === null ? "" : ` ${version}`}${isLive ? " with live-boot" : ""}`;
}

/** Returns the files and directories that only the image's own init uses. */
export function findPassedOver(root: DirectoryNode): readonly string[] {
  return (findIn(root)?.ownFiles ?? []).filter((path) => findNode(root, path) !== null);
}

function findIn(root: DirectoryNode): Maker | undefined {
  return MAKERS.find(({ markers }) => markers.every((path) => findNode(root, path) !== null));
}

function childName(root: DirectoryNode, directory: string, pattern: RegExp): string | null {
  const versions = childrenOf(root, directory).map(([name]) => pattern.exec(name)?.[1]);
  return versions.find((found) => found !== undefined) ?? null;
}

function textOf(root: DirectoryNode, path: string): string {
  const node = findNode(root, path);
  return node?.kind === "file" ? new TextDecoder().decode(node.data.subarray(0, 65536)) : "";
}
