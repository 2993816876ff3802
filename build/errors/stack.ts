import type { PERSISTENCE } from "../../src/problems/diagnoses/stack/persistence.ts";
import type { STACK } from "../../src/problems/diagnoses/stack/stack.ts";
import type { STORES } from "../../src/problems/diagnoses/stack/stores.ts";
import type { SUBMOUNTS } from "../../src/problems/diagnoses/stack/submounts.ts";
import type { SYNC } from "../../src/problems/diagnoses/stack/sync.ts";
import type { Examples } from "./example.ts";

const IMAGE = { path: "/run/levain/medium/newroot.sfs" };
const ARCHIVE = { path: "/run/levain/medium/root.tar.zst" };
const STORE = { store: "LABEL=DATA:/changes", node: "/dev/sdb1" };
const MIB = 2 ** 20;
const FREE = "295 MiB of 512 MiB are free";

export const STACK_EXAMPLES: Examples<typeof STACK> = {
  "image-missing": [{ paths: ["/live/filesystem.squashfs"] }],
  "archive-refused": [
    { ...ARCHIVE, fault: { flaw: "cut", path: "", detail: "" } },
    { ...ARCHIVE, fault: { flaw: "parent", path: "../etc/passwd", detail: "" } },
    { ...ARCHIVE, fault: { flaw: "full", path: "usr/lib/x.so", detail: "" } },
    { ...ARCHIVE, fault: { flaw: "no-program", path: "", detail: "xz" } },
  ],
  "archive-without-room": [{ ...ARCHIVE, free: FREE }],
  "archive-stalled": [{ ...ARCHIVE, seconds: 60 }],
  "archive-process-ended": [{ ...ARCHIVE, status: 137 }],
  "layers-missing": [{ missing: ["minimal.squashfs"] }],
  "image-list-too-long": [{ path: "/live/filesystem.module", bytes: 2 * MIB }],
  "image-empty": [IMAGE],
  "image-cut-off": [{ ...IMAGE, bytes: 2 * MIB, wholeBytes: 700 * MIB }],
  "image-damaged": [{ ...IMAGE, part: "the inode table" }],
  "image-unreadable": [IMAGE],
  "image-of-disk": [
    { ...IMAGE, count: 0 },
    { ...IMAGE, count: 2 },
  ],
  "loop-refused": [
    { ...IMAGE, hasLoops: true },
    { ...IMAGE, hasLoops: false },
  ],
  "image-not-mounted": [IMAGE],
  "image-not-encrypted": [{ ...IMAGE, volumes: ["UUID=3e4e63f8-0b84-4c33-b3d4-1a5ed3c4b7ff"] }],
  "overlay-refused": [
    {
      place: "/sysroot",
      kernel: ["overlayfs: failed to resolve '/run/levain/store/upper': -2"],
      store: null,
      why: null,
    },
    { place: "/sysroot", kernel: [], store: STORE.store, why: "other-lowers" },
    { place: "/sysroot", kernel: [], store: STORE.store, why: "in-use" },
  ],
};

export const STORE_EXAMPLES: Examples<typeof STORES> = {
  "store-ambiguous": [{ spec: "LABEL=DATA", nodes: ["/dev/sda2", "/dev/sdb1"] }],
  "store-unsuited": (["no-xattr", "no-d-type", "case-folding", "read-only"] as const).map((flaw, index) => {
    return { ...STORE, type: ["vfat", "xfs", "ext4", "squashfs"][index] ?? "", flaw };
  }),
  "store-read-only": [{ ...STORE, why: "the device is write-protected" }],
  "store-full": [{ ...STORE, freeBytes: 0, neededBytes: MIB }],
  "store-path": [{ ...STORE, path: "/changes", why: "it is a file, not a directory" }],
  "store-snapshot": [{ ...STORE, path: "/overlay-root" }],
  "store-other-lowers": [
    { ...STORE, made: ["filesystem.squashfs of 700 MiB"], present: ["filesystem.squashfs of 712 MiB"] },
  ],
  "store-not-proved": [{ ...STORE, upper: "/changes/upper" }],
};

export const PERSISTENCE_EXAMPLES: Examples<typeof PERSISTENCE> = {
  "persistence-ambiguous": [{ volumes: ["/dev/sda2", "/dev/sdb1"] }],
  "persistence-missing": [{ names: ["persistence"] }],
  "persistence-without-list": [
    { volume: "/dev/sdb1", bytes: 0 },
    { volume: "/dev/sdb1", bytes: 2 * MIB },
  ],
  "kept-outside": [{ path: "/var/lock" }],
  "kept-path": [{ path: "/home", directory: "a,b" }],
  "kept-missing": [{ path: "/home", source: "home" }],
  "kept-refused": [{ path: "/home", kernel: ["overlayfs: filesystem on 'home' not supported as upperdir"] }],
};

export const SUBMOUNT_EXAMPLES: Examples<typeof SUBMOUNTS> = {
  "submount-unsupported": [{ path: "/srv", why: "nfs is mounted only as the root" }],
  "submount-without-place": [{ path: "/data" }],
  "submount-without-source": [{ path: "/opt", source: "/data/opt" }],
  "submount-refused": [{ path: "/opt", source: "/data/opt" }],
  "union-without-directory": [
    { path: "/data", real: null },
    { path: "/var/run", real: "/run" },
  ],
  "union-refused": [{ path: "/var", kernel: ["overlayfs: maximum fs stacking depth exceeded"] }],
  "tmpfs-refused": [{ target: "/run/levain/overlay" }],
  "usr-not-merged": [{}],
};

export const SYNC_EXAMPLES: Examples<typeof SYNC> = {
  "sync-no-branch": [{ path: null }, { path: "/home" }],
  "sync-locked": [{ branch: "/run/levain/store" }],
  "sync-too-deep": [{ path: "/home/a/a/a/a", bytes: 4096 }],
  "sync-not-writable": (["old-kernel", "image-file", "journal", null] as const).map((why) => {
    return { directory: "/run/levain/store", why };
  }),
  "sync-no-space": [{ bytes: 300 * MIB, freeBytes: 100 * MIB }],
};
