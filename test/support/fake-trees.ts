import type { Files } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { checkWritable } from "./fake-attributes.ts";
import { asDirectory } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";

export type FakeTrees = Pick<Files, "removeTree" | "rename" | "syncFilesystem">;

export function createFakeTrees(kernel: FakeKernel, files: Omit<Files, keyof FakeTrees>): FakeTrees {
  const trees: FakeTrees = {
    removeTree(path) {
      if (files.lstat(path)?.kind !== "directory") return files.removeFile(path);
      for (const name of files.listDirectory(path)) trees.removeTree(`${path}/${name}`);
      files.removeDirectory(path);
    },
    rename: (from, to) => rename(kernel, from, to),
    syncFilesystem: (path) => void kernel.namespace.find(path, "open"),
  };
  return trees;
}

/** rename(2); a directory may replace an empty one, and a file another file. */
function rename(kernel: FakeKernel, from: string, to: string): void {
  const source = kernel.namespace.look(from, "rename", false);
  const target = kernel.namespace.look(to, "rename", false);
  if (source.place === null) throw new SyscallError("rename", "ENOENT", from);
  const { node } = source.place;
  if (source.parent.mount !== target.parent.mount) throw new SyscallError("rename", "EXDEV", from);
  checkWritable(source.parent, "rename", from);
  const over = target.place?.node ?? null;
  const isDirectory = node.kind === "directory";
  if (over !== null && isDirectory !== (over.kind === "directory"))
    throw new SyscallError("rename", isDirectory ? "ENOTDIR" : "EISDIR", from);
  if (over?.kind === "directory" && over.entries.size > 0) throw new SyscallError("rename", "ENOTEMPTY", from);
  const isBusy =
    kernel.namespace.isMountPoint(source.place) ||
    (target.place !== null && kernel.namespace.isMountPoint(target.place));
  if (isBusy) throw new SyscallError("rename", "EBUSY", from);
  asDirectory(target.parent.node, "rename", to).entries.set(target.name, node);
  asDirectory(source.parent.node, "rename", from).entries.delete(source.name);
}
