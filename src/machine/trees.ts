/** What lstat(2) says about an entry of a tree. */
export interface EntryStatus {
  readonly kind: "file" | "directory" | "symlink" | NodeKind;
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  /** Bytes. */
  readonly size: number;
  /** How many names the entry has. */
  readonly links: number;
  /** Unique in its filesystem. */
  readonly inode: bigint;
  /** The device of a block or character node, as "major:minor"; else null. */
  readonly represents: string | null;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** When content or attributes changed last, by the kernel's clock; nanoseconds since 1970. */
  readonly changedNs: bigint;
}

/** What differs between two directories. */
export interface DirectoryDifference {
  /**
   * The names of the first directory but for those of files with one name that are the same in the second: content, owner, mode, time,
   * extended attributes. May have more of them.
   */
  readonly names: readonly string[];
  /** True if the second directory has entries besides these files. */
  readonly hasMore: boolean;
}

/** A file of a tree, open for reading. */
export interface DataReader {
  /** Bytes, when it was opened. */
  readonly size: number;
  /** False if all of it is known to be data. */
  readonly mayHaveHoles: boolean;
  /** Returns where the next data begins, at or after `offset`, and where the hole after it begins; null if there is none. */
  nextData(offset: number): { readonly start: number; readonly end: number } | null;
  /** Reads into `to` and returns the number of bytes: less than its length only at the end of the file. */
  read(to: Uint8Array, offset: number): number;
  close(): void;
}

/** A new file of a tree, open for writing. What is not written is a hole. */
export interface DataWriter {
  write(bytes: Uint8Array, offset: number): void;
  /** Sets the size and what is kept besides the data, and closes. */
  finish(size: number, kept?: Kept): void;
}

/** What is kept of a file besides its data. */
export interface Kept {
  readonly access: Pick<EntryStatus, "userId" | "groupId" | "mode">;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  readonly modifiedNs: bigint;
}

/** The kinds of entries that mknod(2) makes. */
export type NodeKind = "block" | "character" | "fifo" | "socket";

/**
 * A directory tree with all that the kernel keeps of its entries. A path is relative to the tree ("" is its root), without "." and
 * "..", and has one character (U+0000 to U+00FF) for each byte of a name. No part of it is followed if it is a symbolic link.
 */
export interface Tree {
  /** Names, in no order. */
  list(path: string): readonly string[];
  /** null if there is no such entry, or what should be a directory above it is none. */
  status(path: string): EntryStatus | null;
  /** Extended attributes by name; ACLs are among them. */
  attributes(path: string): ReadonlyMap<string, Uint8Array>;
  /** Returns status and attributes, faster than one by one. */
  describe(path: string): { readonly status: EntryStatus; readonly attributes: Kept["attributes"] } | null;
  readLink(path: string): string;
  openFile(path: string): DataReader;
  /** Compares the directory `path` with the directory `otherPath` of the other tree. May return null, and is much faster than file by file. */
  compareDirectory(path: string, other: Tree, otherPath: string): DirectoryDifference | null;
  /**
   * Copies a file without extended attributes, of which `status` was seen, to a new one. Returns false if it has changed since or
   * meanwhile: something may be at `targetPath` then. Returns null, and does nothing, if the file is no simple one.
   */
  copyFile(path: string, status: EntryStatus, target: Tree, targetPath: string): boolean | null;
  makeDirectory(path: string): void;
  makeSymlink(target: string, path: string): void;
  /** `represents` as in `EntryStatus`. */
  makeNode(path: string, kind: NodeKind, represents: string | null): void;
  /** Creates a file that only its owner may read. EEXIST if there is an entry. */
  createFile(path: string): DataWriter;
  link(from: string, to: string): void;
  /** Replaces an entry at `to` that is no directory. */
  rename(from: string, to: string): void;
  /** Removes an entry; a directory must be empty. */
  remove(path: string): void;
  /** Sets the owner of an entry, and its permission bits unless it is a symbolic link. */
  setAccess(path: string, access: Pick<EntryStatus, "userId" | "groupId" | "mode">): void;
  setModified(path: string, modifiedNs: bigint): void;
  setAttribute(path: string, name: string, value: Uint8Array): void;
  removeAttribute(path: string, name: string): void;
  /** Keeps others from locking the tree until `close` (flock(2)); false if another process has locked it. */
  lock(): boolean;
  /** Bytes that root can still write. */
  freeBytes(): number;
  /** Writes everything of its filesystem to the disk (syncfs(2)). */
  sync(): void;
  close(): void;
}

/** Opens directory trees. */
export interface Trees {
  /**
   * Opens the tree at a directory. `writable`: through a mount of its own, which ends with `close`, so that a mount that is
   * read-only can be written without becoming writable for other programs; a filesystem that was read-only is read-only again after
   * `close`. ENOSYS before Linux 5.12.
   */
  openTree(directory: string, access: "as mounted" | "writable"): Tree;
}

/** An entry below another costs an open directory, and users may make trees of any depth. */
const MOST_DEPTH = 32;

/** Removes an entry and everything below it, if it exists. */
export function removeTree(tree: Tree, path: string): void {
  const status = tree.status(path);
  if (status === null) return;
  let moved = 0;
  const empty = (directory: string, depth: number) => {
    for (const name of tree.list(directory)) removeEntry(`${directory}/${name}`, depth);
  };
  const removeEntry = (at: string, depth: number) => {
    if (tree.status(at)?.kind === "directory") {
      if (depth === MOST_DEPTH) {
        do moved += 1;
        while (tree.status(`${path}/${moved}`) !== null);
        tree.rename(at, `${path}/${moved}`);
        return;
      }
      empty(at, depth + 1);
    }
    tree.remove(at);
  };
  // What was too deep is at the top then.
  if (status.kind === "directory")
    do empty(path, 1);
    while (tree.list(path).length > 0);
  tree.remove(path);
}
