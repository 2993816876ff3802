import type { MountRequest } from "../../src/machine/mounts.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeDevices } from "./fake-devices.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import { repairExt4 } from "./fake-ext4.ts";
import { copyTree, type FakeDirectory, type FakeNode, makeFakeDirectory } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeFilesystem, FakeNamespace } from "./fake-mounts.ts";

/** linux/magic.h, and tmpfs's for what a test does not ask about. */
const MAGICS: Readonly<Record<string, number>> = {
  tmpfs: 0x01021994,
  ramfs: 0x858458f6,
  proc: 0x9fa0,
  sysfs: 0x62656572,
  devtmpfs: 0x01021994,
  overlay: 0x794c7630,
  squashfs: 0x73717368,
  ext4: 0xef53,
  ext2: 0xef53,
  vfat: 0x4d44,
};

/** mount(2) copies a page of options and drops the rest (`copy_mount_options` of fs/namespace.c). */
const PAGE_BYTES = 4096;

const TMPFS_OPTIONS = ["size", "mode", "nr_inodes", "nr_blocks", "uid", "gid", "huge"];

/** What a kernel says when it is asked to mount something that is not of that type. */
const COMPLAINTS: Readonly<Record<string, (device: string) => string>> = {
  ext4: (device) => `EXT4-fs (${device}): VFS: Can't find ext4 filesystem`,
  squashfs: (device) => `Can't find a SQUASHFS superblock on ${device}`,
};

/** Where filesystems come from: what the fake kernel needs to make one. */
export interface FilesystemSources {
  readonly namespace: FakeNamespace;
  readonly devices: FakeDevices;
  /** The trees of proc, sysfs and devtmpfs, of which there is one each. */
  readonly single: Readonly<Record<string, FakeDirectory>>;
  readonly memoryBytes: number;
  readonly say: (message: string) => void;
}

/** Makes the superblocks that mount(2) asks for, and knows those of block devices again. */
export class FakeFilesystems {
  readonly #sources: FilesystemSources;
  readonly #known = new Map<string, FakeFilesystem>();
  #anonymous = 1;
  /** null for what is no share. */
  openShare: (request: MountRequest) => FakeDirectory | null = () => null;

  constructor(sources: FilesystemSources) {
    this.#sources = sources;
  }

  /** The superblock for `request`; throws SyscallError as mount(2) would. `virtual` is the filesystem types without a device. */
  open(request: MountRequest, virtual: readonly string[]): FakeFilesystem {
    const { type } = request;
    const share = this.openShare(request);
    if (share !== null) return this.#make(type, share, this.#sources.memoryBytes);
    if (type === "tmpfs") return this.#openTmpfs(request);
    if (type === "overlay") return this.#openOverlay(request);
    if (type === "ramfs") return this.#make(type, makeFakeDirectory(), this.#sources.memoryBytes);
    return virtual.includes(type) ? this.#openSingle(type) : this.#openDevice(request);
  }

  /** A superblock of which nothing is mounted any more is gone; the next mount reads the device again. */
  forgetUnmounted(): void {
    const used = this.#sources.namespace.mounts.flatMap(({ filesystem }) => [filesystem, ...filesystem.layers]);
    for (const [key, filesystem] of this.#known) if (!used.includes(filesystem)) this.#known.delete(key);
  }

  /** True while a block device has a superblock in use. */
  isInUse(device: string): boolean {
    return this.#known.has(device);
  }

  #make(type: string, root: FakeDirectory, totalBytes: number, device = this.#nextDevice()): FakeFilesystem {
    return { type, device, root, magic: MAGICS[type] ?? 0x01021994, totalBytes, layers: [], readOnly: false };
  }

  #nextDevice(): string {
    this.#anonymous += 1;
    return `0:${this.#anonymous}`;
  }

  #openSingle(type: string): FakeFilesystem {
    const known = this.#known.get(type) ?? this.#make(type, this.#sources.single[type] ?? makeFakeDirectory(), 0);
    this.#known.set(type, known);
    return known;
  }

  #openTmpfs({ options, target }: MountRequest): FakeFilesystem {
    const given = parseOptions(options);
    const bad = [...given.keys()].some((name) => !TMPFS_OPTIONS.includes(name));
    const totalBytes = parseSize(given.get("size") ?? "50%", this.#sources.memoryBytes);
    if (bad || totalBytes === null) throw new SyscallError("mount", "EINVAL", target);
    const mode = Number.parseInt(given.get("mode") ?? "1777", 8);
    return this.#make("tmpfs", makeFakeDirectory(mode), totalBytes);
  }

  #openDevice({ source, type, flags, target, options }: MountRequest): FakeFilesystem {
    const { namespace, devices, say } = this.#sources;
    const { node } = namespace.find(source, "mount");
    if (node.kind !== "block") throw new SyscallError("mount", "ENOTBLK", target);
    const device = devices.byNumber(node.number);
    if (device === undefined) throw new SyscallError("mount", "ENXIO", target);
    const readOnly = flags.includes("ro");
    const known = this.#known.get(device.number);
    if (known !== undefined && known.type !== type) throw new SyscallError("mount", "EBUSY", target);
    if (devices.isHeld(device.number)) throw new SyscallError("mount", "EBUSY", target);
    if (device.readOnly && !readOnly) throw new SyscallError("mount", "EACCES", target);
    if (known !== undefined && known.readOnly !== readOnly) throw new SyscallError("mount", "EBUSY", target);
    if (known !== undefined) return known;
    const image = devices.imageOf(device.content);
    if (image?.type !== type) {
      const complaint = COMPLAINTS[type]?.(device.name);
      if (complaint !== undefined) say(complaint);
      throw new SyscallError("mount", "EINVAL", target);
    }
    if (type === "ext4") this.#repair(device, image, { noload: parseOptions(options).has("noload"), target });
    const filesystem = { ...this.#make(type, image.root, device.content.length, device.number), readOnly };
    // squashfs cannot be written to, whatever the flags say.
    filesystem.readOnly ||= type === "squashfs";
    this.#known.set(device.number, filesystem);
    return filesystem;
  }

  /** What ext4 writes when it is mounted, even read-only. */
  #repair(device: FakeBlockDevice, image: FakeImage, { noload, target }: { noload: boolean; target: string }): void {
    const { devices, say } = this.#sources;
    const written = repairExt4(device.content, { noload, readOnlyDevice: device.readOnly });
    if (written === null) return;
    if (written === "refused") {
      say(`EXT4-fs (${device.name}): write access unavailable, cannot proceed (try mounting with noload)`);
      throw new SyscallError("mount", "EROFS", target);
    }
    device.content = written;
    devices.addImage({ ...image, bytes: written });
  }

  /** The merged tree as it is now; what is written to it is not copied up into the upper directory. */
  #openOverlay({ options, target, directory = "" }: MountRequest): FakeFilesystem {
    const { namespace } = this.#sources;
    const given = parseOptions(options.slice(0, PAGE_BYTES - 1));
    const find = (path: string) => namespace.find(path.startsWith("/") ? path : `${directory}/${path}`, "mount");
    const lower = (given.get("lowerdir") ?? "")
      .split(":")
      .filter((path) => path !== "")
      .map(find);
    const [upper, work] = ["upperdir", "workdir"]
      .map((name) => given.get(name))
      .map((path) => (path === undefined ? null : find(path)));
    // Without both of them it is read-only, and takes two lower ones.
    const isUpperless = (upper ?? null) === null && (work ?? null) === null && lower.length > 1;
    const isHalf = !isUpperless && ((upper ?? null) === null || (work ?? null) === null);
    const onOther = upper?.mount !== work?.mount || upper?.mount.filesystem.readOnly === true;
    if (lower.length === 0 || isHalf || onOther) throw new SyscallError("mount", "EINVAL", target);
    // ovl_get_inode() takes the attributes of the upper directory, or of the first lower one.
    const [top] = [upper, ...lower].flatMap((place) => (place?.node.kind === "directory" ? [place.node] : []));
    const root = makeFakeDirectory(top?.mode);
    for (const place of [...lower.toReversed(), upper])
      if (place?.node.kind === "directory") mergeTree(root, place.node);
    const layers = [...lower, upper].flatMap((place) => (place ? [place.mount.filesystem] : []));
    const merged = this.#make("overlay", root, upper?.mount.filesystem.totalBytes ?? 0);
    return { ...merged, layers, readOnly: isUpperless };
  }
}

/** Lays `over` over `tree`: directories are merged, a character device 0:0 hides what is below it (a whiteout). */
function mergeTree(tree: FakeDirectory, over: FakeDirectory): void {
  for (const [name, node] of over.entries) {
    const below = tree.entries.get(name);
    if (node.kind === "character" && node.number === "0:0") tree.entries.delete(name);
    else if (node.kind === "directory" && below?.kind === "directory") mergeTree(below, node);
    else tree.entries.set(name, copyNode(node));
  }
}

function copyNode(node: FakeNode): FakeNode {
  return node.kind === "directory" ? copyTree(node) : { ...node };
}

function parseOptions(options: string): ReadonlyMap<string, string> {
  const words = options.split(",").filter((word) => word !== "");
  return new Map(words.map((word) => [word.split("=", 1)[0] ?? "", word.slice(word.indexOf("=") + 1)]));
}

/** tmpfs's size=: bytes with k, m or g, or a share of the memory; null where it is neither. */
function parseSize(text: string, memoryBytes: number): number | null {
  const match = /^(\d+)([kmg%]?)$/i.exec(text);
  if (match === null) return null;
  const value = Number(match[1]);
  const unit = (match[2] ?? "").toLowerCase();
  return unit === "%"
    ? (memoryBytes * value) / 100
    : value * { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit as "" | "k" | "m" | "g"];
}
