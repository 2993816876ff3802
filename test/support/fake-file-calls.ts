import type { Files, FileWriter, RandomReader } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { openFakeAsyncReader } from "./fake-async-reader.ts";
import { checkWritable, copyAttributes } from "./fake-attributes.ts";
import { errnoOfRead } from "./fake-disk.ts";
import { asDirectory, type FakeNode, fileBytes, makeFakeDirectory, nodeStatus, usedBytes } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import type { FakePlace } from "./fake-mounts.ts";
import type { FakeTrees } from "./fake-trees.ts";

const COPY_CHUNK_BYTES = 4 << 20;

export function createFakeFiles(kernel: FakeKernel): Omit<Files, keyof FakeTrees> {
  const { namespace } = kernel;
  const read = (path: string) => readNode(kernel, namespace.find(path, "open"), path, "read");
  const status = (path: string, follow: boolean) => {
    const place = lookOrNull(kernel, path, follow);
    return place === null ? null : nodeStatus(place.node, deviceOf(place));
  };
  const files: Omit<Files, keyof FakeTrees> = {
    readFile: (path) => new Uint8Array(read(path)),
    writeFile: (path, data) => write(kernel, path, typeof data === "string" ? Buffer.from(data) : new Uint8Array(data)),
    listDirectory(path) {
      const { entries } = asDirectory(namespace.find(path, "open").node, "scandir", path);
      return [...entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
    makeDirectory: (path, mode) => makeDirectory(kernel, path, mode),
    makeSymlink: (target, path) => create(kernel, path, "symlink", { kind: "symlink", target }),
    makeNode: (path, kind, major, minor, mode) =>
      create(kernel, path, "mknodat", { kind, number: `${major}:${minor}`, mode }),
    allowChanges: (path) => void namespace.find(path, "open"),
    changeOwner: (path) => void namespace.find(path, "chown"),
    copyAttributes: (source, target) => copyAttributes(kernel, source, target),
    stat: (path) => status(path, true),
    lstat: (path) => status(path, false),
    readLink(path) {
      const { node } = namespace.find(path, "readlink", false);
      if (node.kind !== "symlink") throw new SyscallError("readlink", "EINVAL", path);
      return node.target;
    },
    wipeFile(path) {
      write(kernel, path, new Uint8Array(read(path).length));
      files.removeFile(path);
    },
    removeFile: (path) => remove(kernel, path, "unlink", objectToUnlink),
    removeDirectory: (path) => remove(kernel, path, "rmdir", objectToRmdir),
    openReader: (path) => openReader(kernel, path),
    openAsyncReader: (path) => openFakeAsyncReader(kernel, path, () => openReader(kernel, path)),
    openWriter: (path) => openWriter(kernel, path),
    copyFile(source, target, { onProgress, onBytes } = {}) {
      const bytes = read(source);
      write(kernel, target, new Uint8Array());
      try {
        for (let done = 0; done < bytes.length; ) {
          done = Math.min(done + COPY_CHUNK_BYTES, bytes.length);
          write(kernel, target, bytes.slice(0, done));
          onBytes?.(bytes.slice(done - (done % COPY_CHUNK_BYTES || COPY_CHUNK_BYTES), done));
          onProgress?.(done);
        }
      } catch (error) {
        files.removeFile(target);
        throw error;
      }
    },
    measureVerity: (path) => status(path, true) && null,
    statFilesystem(path) {
      const { filesystem } = namespace.find(path, "statfs").mount;
      const freeBytes = filesystem.readOnly ? 0 : Math.max(0, filesystem.totalBytes - usedBytes(filesystem.root));
      return { magic: filesystem.magic, totalBytes: filesystem.totalBytes, freeBytes };
    },
  };
  return files;
}

/** st_dev: of the innermost subvolume that the place lies in, else of the filesystem. */
function deviceOf(place: FakePlace): string {
  for (let at: FakePlace | null = place; at !== null; at = at.up) {
    if (at.node.kind === "directory" && at.node.subvolume !== undefined) return at.node.subvolume;
  }
  return place.mount.filesystem.device;
}

function openReader(kernel: FakeKernel, path: string): RandomReader {
  const place = kernel.namespace.find(path, "open");
  const bytes = readNode(kernel, place, path, "read");
  const device = place.node.kind === "block" ? kernel.devices.byNumber(place.node.number) : undefined;
  if (device?.answersAfterMs === Number.POSITIVE_INFINITY) throw new Error(`FakeMachine: waits for ever for ${path}`);
  if (device?.isRemovable === true && bytes.length === 0) throw new SyscallError("open", "ENOMEDIUM", path);
  if (device !== undefined) device.openedBytes = bytes.length;
  const count = (change: number) => {
    kernel.openFiles.set(place.mount, (kernel.openFiles.get(place.mount) ?? 0) + change);
    if (place.node.kind === "block") kernel.devices.countReader(place.node.number, change);
  };
  count(1);
  return {
    size: bytes.length,
    read(offset, length) {
      const refusal = errnoOfRead(device, offset);
      if (refusal !== undefined) throw new SyscallError("read", refusal, path);
      return new Uint8Array(bytes.subarray(offset, offset + Math.max(0, length))); // a copy: a reader of a key wipes it
    },
    close: () => count(-1),
  };
}

/** Of a file; the descriptor stays with it wherever its mount goes. */
function openWriter(kernel: FakeKernel, path: string): FileWriter {
  const { place } = kernel.namespace.look(path, "open", false);
  if (place?.node.kind === "symlink") throw new SyscallError("open", "ELOOP", path);
  if (place === null) write(kernel, path, new Uint8Array());
  const { node, mount } = kernel.namespace.find(path, "open");
  if (node.kind === "directory") throw new SyscallError("open", "EISDIR", path);
  if (node.kind !== "file") throw new Error(`FakeMachine: nobody writes to a device by descriptor, and ${path} is one`);
  checkWritable({ mount } as FakePlace, "open", path);
  const replace = (data: Uint8Array | string) => {
    node.data = typeof data === "string" ? Buffer.from(data) : new Uint8Array(data);
  };
  return {
    replace,
    append: (data) => replace(Buffer.concat([fileBytes(node), data])),
    close: () => undefined,
  };
}

const objectToUnlink = ({ kind }: FakeNode): string | null => (kind === "directory" ? "EISDIR" : null);

function objectToRmdir(node: FakeNode): string | null {
  if (node.kind !== "directory") return "ENOTDIR";
  return node.entries.size > 0 ? "ENOTEMPTY" : null;
}

function lookOrNull(kernel: FakeKernel, path: string, follow: boolean): FakePlace | null {
  try {
    return kernel.namespace.look(path, "stat", follow).place;
  } catch (error) {
    if (error instanceof SyscallError && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
}

function readNode(kernel: FakeKernel, { node }: FakePlace, path: string, call: string): Uint8Array {
  if (node.kind === "directory") throw new SyscallError(call, "EISDIR", path);
  if (node.kind === "file") return fileBytes(node);
  if (node.kind !== "block") return new Uint8Array();
  const device = kernel.devices.byNumber(node.number);
  if (device === undefined) throw new SyscallError("open", "ENXIO", path);
  return device.content;
}

function create(kernel: FakeKernel, path: string, call: string, node: FakeNode): void {
  const { place, parent, name } = kernel.namespace.look(path, call, false);
  if (place !== null) throw new SyscallError(call, "EEXIST", path);
  checkWritable(parent, call, path);
  asDirectory(parent.node, call, path).entries.set(name, node);
}

function write(kernel: FakeKernel, path: string, data: Uint8Array): void {
  const { place, parent, name } = kernel.namespace.look(path, "open");
  const node = place?.node ?? null;
  if (node?.kind === "directory") throw new SyscallError("open", "EISDIR", path);
  if (node?.kind === "block") throw new Error(`FakeMachine: nobody writes to a disk, and ${path} is one`);
  if (node?.kind === "character") return;
  checkWritable(place ?? parent, "open", path);
  if (node !== null && node.kind !== "file") throw new SyscallError("open", "ENOENT", path);
  if (typeof node?.data === "function") throw new SyscallError("write", "EIO", path);
  const { filesystem } = (place ?? parent).mount;
  const growth = data.length - (node?.data.length ?? 0);
  if (filesystem.totalBytes > 0 && usedBytes(filesystem.root) + growth > filesystem.totalBytes)
    throw new SyscallError("write", "ENOSPC", path);
  if (node !== null) node.data = data;
  if (node !== null) kernel.onWrite.get(node)?.(Buffer.from(data).toString());
  else asDirectory(parent.node, "open", path).entries.set(name, { kind: "file", mode: 0o644, data });
}

function makeDirectory(kernel: FakeKernel, path: string, mode = 0o755): void {
  const { namespace } = kernel;
  const names = path.split("/").filter((name) => name !== "");
  for (let length = 1; length <= names.length; length++) {
    const prefix = `/${names.slice(0, length).join("/")}`;
    const { place, parent, name } = namespace.look(prefix, "mkdir");
    const isLast = length === names.length;
    if (place !== null && place.node.kind !== "directory")
      throw new SyscallError("mkdir", isLast ? "EEXIST" : "ENOTDIR", path);
    if (place !== null) continue;
    checkWritable(parent, "mkdir", path);
    asDirectory(parent.node, "mkdir", path).entries.set(name, makeFakeDirectory(isLast ? mode : 0o755));
  }
}

function remove(kernel: FakeKernel, path: string, call: string, objection: (node: FakeNode) => string | null): void {
  const { parent, name } = kernel.namespace.look(path, call, false);
  const place = kernel.namespace.find(path, call, false);
  checkWritable(parent, call, path);
  const code = objection(place.node);
  // Being a mount point is seen before being full, but after being of the wrong kind.
  const isWrongKind = code === "ENOTDIR" || code === "EISDIR";
  if (!isWrongKind && kernel.namespace.isMountPoint(place)) throw new SyscallError(call, "EBUSY", path);
  if (code !== null) throw new SyscallError(call, code, path);
  asDirectory(parent.node, call, path).entries.delete(name);
}
