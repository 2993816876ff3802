import type { MountFlag } from "../../src/machine/mounts.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { asDirectory, type FakeDirectory, type FakeNode } from "./fake-files.ts";

/** A superblock: the tree that one mounted thing holds, however often it is mounted. */
export interface FakeFilesystem {
  readonly type: string;
  /** "major:minor": of the block device, or one of its own. */
  readonly device: string;
  readonly root: FakeDirectory;
  /** As in linux/magic.h. */
  readonly magic: number;
  readonly totalBytes: number;
  /** Superblocks that this one keeps alive: the layers of an overlay. */
  readonly layers: readonly FakeFilesystem[];
  readOnly: boolean;
}

export interface FakeMount {
  readonly filesystem: FakeFilesystem;
  /** What of the filesystem is shown: its root, but for a bind. */
  readonly root: FakeNode;
  readonly source: string;
  readonly flags: readonly MountFlag[];
  readOnly: boolean;
  /** Where in another mount this one covers a directory or file; null for the first of all. */
  point: FakePlace | null;
}

/** A place in the tree, as the kernel's `struct path`, with the way that led to it. */
export interface FakePlace {
  readonly mount: FakeMount;
  readonly node: FakeNode;
  readonly name: string;
  /** null at the root of its mount. */
  readonly up: FakePlace | null;
}

interface Walk {
  here: FakePlace;
  parent: FakePlace;
  last: string;
  /** Names that are still to be gone through. */
  readonly left: string[];
  links: number;
}

/** include/linux/namei.h: MAXSYMLINKS. */
const MAX_SYMLINKS = 40;

/** The mount table and the way paths are found in it. */
export class FakeNamespace {
  readonly mounts: FakeMount[];
  readonly #root: FakePlace;

  constructor(filesystem: FakeFilesystem, source: string) {
    const mount: FakeMount = { filesystem, root: filesystem.root, source, flags: [], readOnly: false, point: null };
    this.mounts = [mount];
    this.#root = placeOfMount(mount);
  }

  /** The place at `path`; throws SyscallError ENOENT, ENOTDIR or ELOOP for `call`. */
  find(path: string, call: string, follow = true, allowsLinks = true): FakePlace {
    const found = this.look(path, call, follow, allowsLinks);
    if (found.place === null) throw new SyscallError(call, "ENOENT", path);
    return found.place;
  }

  /** The place at `path`, null where its last name is missing, and the directory that it would be in. */
  look(
    path: string,
    call: string,
    follow = true,
    allowsLinks = true,
  ): { place: FakePlace | null; parent: FakePlace; name: string } {
    if (path.includes("\0")) throw new SyscallError(call, "EINVAL", JSON.stringify(path));
    if (path === "") throw new SyscallError(call, "ENOENT", path);
    const root = this.#covered(this.#root);
    const walk = { here: root, parent: root, last: "/", left: splitPath(path), links: allowsLinks ? 0 : MAX_SYMLINKS };
    for (let name = walk.left.shift(); name !== undefined; name = walk.left.shift()) {
      const { entries } = asDirectory(walk.here.node, call, path);
      const isLast = walk.left.length === 0;
      const node = entries.get(name);
      if (name === "..") walk.here = this.#covered(stepUp(walk.here));
      else if (node !== undefined) this.#enter(walk, name, node, follow || !isLast || path.endsWith("/"));
      else if (isLast) return { place: null, parent: walk.here, name };
      else throw new SyscallError(call, "ENOENT", path);
      if (walk.links > MAX_SYMLINKS) throw new SyscallError(call, "ELOOP", path);
    }
    if (path.endsWith("/")) asDirectory(walk.here.node, call, path);
    return { place: walk.here, parent: walk.parent, name: walk.last };
  }

  /** Goes into `node`, or on with what a symbolic link says: from where it lies or from the root. */
  #enter(walk: Walk, name: string, node: FakeNode, follow: boolean): void {
    walk.parent = walk.here;
    walk.last = name;
    if (node.kind !== "symlink" || !follow) {
      walk.here = this.#covered({ mount: walk.here.mount, node, name, up: walk.here });
      return;
    }
    walk.links++;
    if (node.target.startsWith("/")) walk.here = this.#covered(this.#root);
    walk.left.unshift(...splitPath(node.target));
  }

  /** The topmost mount over a place. */
  #covered(place: FakePlace): FakePlace {
    const over = this.mounts.find(({ point }) => point?.mount === place.mount && point.node === place.node);
    return over === undefined ? place : this.#covered(placeOfMount(over));
  }

  add(mount: FakeMount): void {
    this.mounts.push(mount);
  }

  /** Takes a mount and all that is mounted in it out of the table. */
  remove(mount: FakeMount): void {
    for (const child of this.childrenOf(mount)) this.remove(child);
    this.mounts.splice(this.mounts.indexOf(mount), 1);
  }

  childrenOf(mount: FakeMount): readonly FakeMount[] {
    return this.mounts.filter(({ point }) => point?.mount === mount);
  }

  /** True where `place` lies in `mount` or in something mounted below it. */
  isBelow(place: FakePlace, mount: FakeMount): boolean {
    for (let at: FakePlace | null = place; at !== null; at = at.mount.point) if (at.mount === mount) return true;
    return false;
  }

  /** True where something is mounted, here or on another bind of the same directory: it cannot be removed. */
  isMountPoint({ up, node }: FakePlace): boolean {
    return up === null || this.mounts.some(({ point }) => point?.node === node);
  }

  /** /proc/self/mountinfo, as proc(5) has it. */
  mountInfo(): string {
    return this.mounts.map((mount, index) => mountInfoLine(mount, index, this.mounts)).join("");
  }
}

function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function placeOfMount(mount: FakeMount): FakePlace {
  return { mount, node: mount.root, name: "", up: null };
}

function stepUp(place: FakePlace): FakePlace {
  if (place.up !== null) return place.up;
  return place.mount.point === null ? place : stepUp(place.mount.point);
}

export function pathOf(place: FakePlace): string {
  const names: string[] = [];
  for (let at: FakePlace | null = place; at !== null; at = at.up ?? at.mount.point)
    if (at.up !== null) names.unshift(at.name);
  return `/${names.join("/")}`;
}

function mountInfoLine(mount: FakeMount, index: number, mounts: readonly FakeMount[]): string {
  const { filesystem, point, source } = mount;
  const parent = point === null ? 1 : mounts.indexOf(point.mount) + 1;
  const target = point === null ? "/" : escapeOctal(pathOf(point));
  const options = [mount.readOnly ? "ro" : "rw", ...mount.flags.filter((flag) => flag.startsWith("no"))].join(",");
  const state = filesystem.readOnly ? "ro" : "rw";
  return `${index + 1} ${parent} ${filesystem.device} / ${target} ${options} - ${filesystem.type} ${escapeOctal(source)} ${state}\n`;
}

function escapeOctal(text: string): string {
  return text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
