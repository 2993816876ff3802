import { type DirectoryNode, findNode } from "./unpacked-tree.ts";

/** A tool that makes images, known by files that only its images have. */
interface Maker {
  readonly name: string;
  /** Its images have all of these. */
  readonly markers: readonly string[];
  /** Reads the version of the tool from the image. */
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
export function findMaker(root: DirectoryNode): string | null {
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
  const node = findNode(root, directory);
  const names = node?.kind === "directory" ? [...node.children.keys()] : [];
  return names.map((name) => pattern.exec(name)?.[1]).find((found) => found !== undefined) ?? null;
}

function textOf(root: DirectoryNode, path: string): string {
  const node = findNode(root, path);
  return node?.kind === "file" ? new TextDecoder().decode(node.data.subarray(0, 65536)) : "";
}
