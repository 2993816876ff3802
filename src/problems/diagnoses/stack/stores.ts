import { byHand, diagnosis, inBootLoader, inShell } from "../../diagnosis.ts";
import type { Hint } from "../../errors.ts";
import { notSupportedYet } from "../../not-supported.ts";
import { formatBytes } from "../../size.ts";
import { BOOT_WITHOUT_STORE, RESET_STORE, SHOW_STORE } from "../../store-hints.ts";

interface StoreFacts {
  /** As the user named it: "LABEL=DATA:/dir". */
  readonly store: string;
  readonly node: string;
}

/** Why overlayfs keeps no changes on a filesystem. */
const FLAWS = {
  "no-xattr": "has no extended attributes, in which overlayfs notes what was deleted and renamed",
  "no-d-type": "does not note the type of each directory entry, which overlayfs needs",
  "case-folding": "does not distinguish upper and lower case in names, which overlayfs needs",
  "read-only": "is read-only by its format",
} as const;

const OTHER_FILESYSTEM: Readonly<Record<keyof typeof FLAWS, readonly Hint[]>> = {
  "no-xattr": [byHand("put an image file with ext4 on it, and name that: rd.overlay=DEVICE:/FILE")],
  "no-d-type": [byHand("make the filesystem with file types: mkfs.ext4 -O filetype, mkfs.xfs -n ftype=1")],
  "case-folding": [byHand("make an ext4 without casefold, or put an image file with ext4 on it")],
  "read-only": [],
};

/** What keeps changes from a place on a disk. */
export const STORES = {
  "store-ambiguous": diagnosis<{ spec: string; nodes: readonly string[] }>({
    text: ({ spec, nodes }) => `${nodes.length} devices match ${spec}: ${nodes.join(" and ")}`,
    reasons: () => ["levain writes changes only to a device that is the only one with its name"],
    hints: () => [
      inBootLoader("name the device by its UUID or PARTUUID in rd.overlay="),
      byHand("remove the other disk"),
      BOOT_WITHOUT_STORE,
    ],
  }),
  "store-unsuited": diagnosis<StoreFacts & { type: string; flaw: keyof typeof FLAWS }>({
    text: ({ store, node, type }) => `${store} cannot keep changes: ${node} holds ${type}`,
    reasons: ({ type, flaw }) => [`${type} ${FLAWS[flaw]}`],
    hints: ({ flaw }) => [
      ...OTHER_FILESYSTEM[flaw],
      inBootLoader("name a device with ext4, XFS, btrfs or F2FS in rd.overlay="),
      BOOT_WITHOUT_STORE,
    ],
  }),
  "store-read-only": diagnosis<StoreFacts & { why: string }>({
    text: ({ store, node }) => `changes cannot be written to ${store} (${node})`,
    reasons: ({ why }) => [why],
    hints: () => [byHand("remove the write protection, or repair the filesystem"), SHOW_STORE, BOOT_WITHOUT_STORE],
  }),
  "store-full": diagnosis<StoreFacts & { freeBytes: number; neededBytes: number }>({
    text: ({ store, node }) => `no space for changes is left on ${store} (${node})`,
    reasons: ({ freeBytes, neededBytes }) => [
      `${formatBytes(freeBytes)} are free, and a boot needs at least ${formatBytes(neededBytes)}`,
    ],
    hints: () => [SHOW_STORE, byHand("delete files on it with another machine"), byHand("make it larger"), RESET_STORE],
  }),
  "store-path": diagnosis<StoreFacts & { path: string; why: string; isMissing?: boolean }>({
    text: ({ path, node }) => `${path} on ${node} cannot keep changes`,
    reasons: ({ why }) => [why],
    hints: ({ isMissing = false }) => [
      inBootLoader("correct rd.overlay="),
      ...(isMissing ? [inBootLoader("for a new place, boot once without rd.overlay.readonly, which creates it")] : []),
      BOOT_WITHOUT_STORE,
    ],
  }),
  "store-snapshot": diagnosis<StoreFacts & { path: string }>({
    text: ({ path, node }) => `${path} on ${node} cannot keep changes`,
    reasons: () => [`it holds no filesystem; ${notSupportedYet("a snapshot of device mapper")}`],
    hints: () => [
      byHand("make a filesystem in it, which loses the changes in it: mkfs.ext4 FILE"),
      inShell("see what it holds: `levain inspect FILE`"),
      BOOT_WITHOUT_STORE,
    ],
  }),
  "store-other-lowers": diagnosis<StoreFacts & { made: readonly string[]; present: readonly string[] }>({
    text: ({ store }) => `the changes on ${store} belong to another system`,
    reasons: ({ made, present }) => [`they were made on ${made.join(" + ")}`, `this boot has ${present.join(" + ")}`],
    hints: ({ store }) => [
      byHand("boot with what they were made on"),
      SHOW_STORE,
      RESET_STORE,
      byHand(`delete levain.json on ${store} to use them anyway (files of both systems may mix)`),
      BOOT_WITHOUT_STORE,
    ],
  }),
  "store-not-proved": diagnosis<StoreFacts & { upper: string }>({
    text: ({ store }) => `rd.overlay.reset removes nothing on ${store}`,
    reasons: ({ upper, node }) => [
      `nothing proves that the directory ${upper} on ${node} holds the changes of an overlay`,
    ],
    hints: () => [
      inBootLoader("correct rd.overlay="),
      inBootLoader("use what is there: remove rd.overlay.reset"),
      byHand("delete the directory on another machine"),
    ],
  }),
};
