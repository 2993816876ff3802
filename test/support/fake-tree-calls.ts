import type { Tree, Trees } from "../../src/machine/trees.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { asDirectory } from "./fake-files.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { fakeTree } from "./fake-tree.ts";

export function createFakeOpenTrees(kernel: FakeKernel): Trees {
  return { openTree: (directory, access) => openFakeTree(kernel, directory, access) };
}

/** Opens a directory of the fake kernel as a tree; a mount in it is not seen. */
function openFakeTree(kernel: FakeKernel, directory: string, access: "as mounted" | "writable"): Tree {
  const { node, mount } = kernel.namespace.find(directory, "open");
  const { filesystem } = mount;
  const wasReadOnly = filesystem.readOnly;
  if (access === "writable") filesystem.readOnly = false;
  const beforeChange = (call: string) => {
    if (call === "sync") return;
    if (filesystem.readOnly || (access === "as mounted" && mount.readOnly))
      throw new SyscallError(call, "EROFS", directory);
  };
  const tree = fakeTree(asDirectory(node, "open", directory), { beforeChange });
  return {
    ...tree,
    close: () => {
      filesystem.readOnly = wasReadOnly;
    },
  };
}
