import { expect, test } from "bun:test";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { HOST, linkFilesLibrary } from "../../../../build/stage0/link.ts";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { openFileCalls } from "../../../../src/machine/linux/trees/many-files.ts";
import { encodeName } from "../../../../src/machine/linux/trees/names.ts";
import type { Machine } from "../../../../src/machine/machine.ts";
import type { Tree } from "../../../../src/machine/trees.ts";
import { syncBranch } from "../../../../src/stack/sync/sync.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { differences, snapshot } from "../../../support/sync/snapshot.ts";

const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
const DEFAULT_ACL = "system.posix_acl_default";
const NO_ID = 0xffff_ffff;

/** As setfacl -d -m u::rwx,u:1000:rwx,g::rx,m::rwx,o::- sets it (struct posix_acl_xattr_entry of linux/posix_acl_xattr.h). */
const FOR_USER_1000 = Buffer.concat([
  Buffer.of(2, 0, 0, 0),
  ...[
    [1, 7, NO_ID],
    [2, 7, 1000],
    [4, 5, NO_ID],
    [16, 7, NO_ID],
    [32, 0, NO_ID],
  ].map(([tag = 0, permissions = 0, id = 0]) => {
    const entry = Buffer.alloc(8);
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(permissions, 2);
    entry.writeUInt32LE(id, 4);
    return entry;
  }),
]);

function inTree<T>(machine: Machine, directory: string, use: (tree: Tree) => T): T {
  const tree = machine.openTree(directory, "as mounted");
  try {
    return use(tree);
  } finally {
    tree.close();
  }
}

function write(tree: Tree, path: string): void {
  tree.createFile(path).finish(0);
  tree.setAccess(path, { userId: 0, groupId: 0, mode: 0o640 });
}

/** Makes layers on the disk; what is in the upper has no ACL, not even where its directory has a default ACL. */
function makeLayers(machine: Machine) {
  const directory = scratchDirectory();
  for (const name of ["upper", "store/upper"]) fs.mkdirSync(join(directory, name), { recursive: true });
  const order = { upper: join(directory, "upper"), branch: join(directory, "store/upper"), lowers: [], scope: "" };
  inTree(machine, order.upper, (tree) => {
    for (const path of ["new", "new/deep", "new/deep/more"]) tree.makeDirectory(path);
    for (const path of ["file", "new/file", "new/with attribute", "new/deep/file", "new/deep/more/file"])
      write(tree, path);
    tree.setAttribute("new/with attribute", "user.one", Buffer.from("1"));
    tree.makeNode("new/deep/fifo", "fifo", null);
    tree.makeSymlink("file", "new/link");
    tree.link("new/file", "new/deep/same");
    for (const path of ["new", "new/deep"]) tree.setAttribute(path, DEFAULT_ACL, FOR_USER_1000);
  });
  return { directory, order };
}

/** Copies by the native library, as the compiled program does. */
function withLibrary(machine: Machine): Machine {
  const library = join(scratchDirectory(), "files.so");
  fs.writeFileSync(library, linkFilesLibrary(HOST));
  const calls = openFileCalls(library);
  const directories = new WeakMap<Tree, string>();
  const openTree: Machine["openTree"] = (directory, access) => {
    const copyFile: Tree["copyFile"] = (path, status, target, targetPath) => {
      const paths = [join(directory, path), join(directories.get(target) ?? "", targetPath)];
      const [from = 0, to = 0] = paths.map((one) => fs.openSync(dirname(one), fs.constants.O_DIRECTORY));
      const [name = "", newName = ""] = paths.map((one) => one.slice(dirname(one).length + 1));
      const places = [
        { directory: from, name: encodeName(name) },
        { directory: to, name: encodeName(newName) },
      ] as const;
      const result = calls.copyFile(...places, status, path);
      for (const fd of [from, to]) fs.closeSync(fd);
      expect([path, result]).toEqual([path, true]);
      return result;
    };
    const tree = { ...machine.openTree(directory, access), copyFile };
    directories.set(tree, directory);
    return tree;
  };
  return { ...machine, openTree };
}

const machine = createLinuxMachine();

for (const [by, used] of [
  ["the runtime", () => machine],
  ["the native library", () => withLibrary(machine)],
] as const) {
  test(`copies by ${by} do not inherit the default ACL of their new directory`, () => {
    const { order } = makeLayers(machine);
    const wanted = inTree(machine, order.upper, snapshot);
    syncBranch(used(), order, SILENT);
    expect(differences(wanted, inTree(machine, order.branch, snapshot))).toEqual([]);
    expect(syncBranch(machine, order, SILENT).changes).toEqual([]);
  });
}

test("copies do not inherit the default ACL of the directory that the branch is in", () => {
  const { directory, order } = makeLayers(machine);
  inTree(machine, directory, (tree) => tree.setAttribute("store", DEFAULT_ACL, FOR_USER_1000));
  const wanted = inTree(machine, order.upper, snapshot);
  syncBranch(machine, order, SILENT);
  expect(differences(wanted, inTree(machine, order.branch, snapshot))).toEqual([]);
});
