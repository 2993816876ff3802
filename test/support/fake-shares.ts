import type { MountRequest } from "../../src/machine/mounts.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { type FakeDirectory, type FakeTree, makeFakeTree } from "./fake-files.ts";

/** A directory of the host that a virtual machine mounts by its tag, a volume of flash memory, or what a program of the image mounts by a name. */
export interface FakeShare {
  readonly type: keyof typeof ABSENT;
  readonly tree: FakeTree;
  /** When its device appears; from the start where not given. */
  readonly fromMs?: number;
}

export type FakeShares = Readonly<Record<string, FakeShare>>;

/** What the kernel answers where no device has the name (p9_virtio_create() of net/9p/trans_virtio.c, virtio_fs_get_tree(), ubifs_mount(), get_tree_mtd()). */
const ABSENT = {
  "9p": "ENOENT",
  virtiofs: "EINVAL",
  ubifs: "ENODEV",
  jffs2: "ENODEV",
  zfs: "ENOENT",
  cifs: "ENOENT",
} as const;

/** The tree of the share that is mounted; null for other types. Throws SyscallError as mount(2) would. */
export function openFakeShare(
  shares: FakeShares,
  { type, source, target }: MountRequest,
  nowMs: number,
): FakeDirectory | null {
  if (!isShareType(type)) return null;
  const share = shares[source];
  if (share?.type === type && nowMs >= (share.fromMs ?? 0)) return makeFakeTree(share.tree);
  throw new SyscallError("mount", ABSENT[type], target);
}

function isShareType(type: string): type is keyof typeof ABSENT {
  return Object.hasOwn(ABSENT, type);
}
