import type { Word } from "../cmdline.ts";
import { normaliseName } from "../cmdline.ts";
import { parseFileUrl } from "./file-url.ts";
import { type MemoryRoot, parseMemoryRoot } from "./memory-root.ts";
import { type NfsSource, parseNfsRoot } from "./nfs-source.ts";
import { parseDataset, parseShare, type ShareAccount } from "./share.ts";

/** A root that is no block device. */
export type OtherSource =
  /** A filesystem that the kernel mounts by a name. */
  | {
      readonly kind: "tree" /** Unless rootfstype= is given. */;
      readonly type: string;
      readonly source: string /** On a server of SMB. */;
      readonly account?: ShareAccount | null;
    }
  /** An image on a web or TFTP server. */
  | { readonly kind: "download"; readonly url: string }
  /** A directory on an NFS server. */
  | ({ readonly kind: "nfs" } & NfsSource)
  /** What the root path of DHCP names. */
  | { readonly kind: "dhcp" }
  /** A filesystem in memory, which rd.archive= fills. */
  | ({ readonly kind: "memory" } & MemoryRoot);

/** What a root= that begins like this is, and the source of its mount. */
const TREES: readonly (readonly [shape: RegExp, type: string])[] = [
  [/^virtiofs:(.+)$/, "virtiofs"],
  [/^9p:(.+)$/, "9p"],
  // Documentation/filesystems/ubifs.rst: a volume by its number or its name; the kernel takes "!" for ":" too.
  [/^(ubi\d{0,3}(?:[:!].+|_\d{1,3}))$/, "ubifs"],
  // get_tree_mtd() of drivers/mtd/mtdsuper.c.
  [/^(mtd\d{1,3}|mtd:.+)$/, "jffs2"],
];

/** The kernel's root=/dev/nfs, and root=nfs: without more: nfsroot= or DHCP says where it is. */
const NFS_ELSEWHERE: NfsSource = { server: null, path: null, isVersion4: false, options: "" };

/** Parses a root= that is no block device; null if it is one, or nothing that levain knows. */
export function parseOtherSource(text: string): OtherSource | null {
  for (const [shape, type] of TREES) {
    const source = shape.exec(text)?.[1];
    if (source !== undefined) return { kind: "tree", type, source };
  }
  const share = parseShare(text);
  if (share !== null) return { kind: "tree", type: "cifs", ...share };
  const dataset = parseDataset(text);
  if (dataset !== null) return { kind: "tree", type: "zfs", source: dataset };
  if (text === "dhcp") return { kind: "dhcp" };
  const memory = parseMemoryRoot(text);
  if (memory !== null) return { kind: "memory", ...memory };
  const nfs = text === "/dev/nfs" || text === "nfs" ? NFS_ELSEWHERE : parseNfsRoot(text);
  if (nfs !== null) return { kind: "nfs", ...nfs };
  const url = parseFileUrl(text);
  return url === null ? null : { kind: "download", url };
}

/** Types whose root= is a name that may look like anything, /dev/root too. */
const BY_TAG = ["9p", "virtiofs"];
/** Types with their names in front of the source, which is not what root= would be without. */
const PREFIXED = [...BY_TAG, "zfs", "cifs"];

/** Spells `rootfstype=9p root=TAG` as `root=9p:TAG`: whether root= names a tag or a device depends on the type. */
export function spellOutTags<S extends { readonly words: readonly Word[] }>(sources: readonly S[]): readonly S[] {
  const isNamed = (name: string) => (word: Word) => normaliseName(word.name) === name;
  const type = sources.flatMap(({ words }) => words).findLast(isNamed("rootfstype"))?.value ?? "";
  if (!BY_TAG.includes(type)) return sources;
  const isRoot = isNamed("root");
  const spell = (word: Word): Word => {
    if (!isRoot(word) || word.value === null || word.value.startsWith(`${type}:`)) return word;
    return { name: word.name, value: `${type}:${word.value}`, text: `${word.name}=${type}:${word.value}` };
  };
  return sources.map((source) => ({ ...source, words: source.words.map(spell) }));
}

/** Returns the text of root= for a tree. */
export function formatTree({ type, source }: Extract<OtherSource, { kind: "tree" }>): string {
  return PREFIXED.includes(type) ? `${type}:${source}` : source;
}
