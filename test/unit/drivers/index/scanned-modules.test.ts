import { expect, test } from "bun:test";
import { partsOfScan, type ScannedModule } from "../../../../src/drivers/index/scanned-modules.ts";

const NONE = { builtin: [], builtinAliases: [] };

function scanned(path: string, ...modinfo: readonly string[]): ScannedModule {
  return {
    path,
    modinfo: modinfo.map((entry) => ({ key: entry.split("=")[0] ?? "", value: entry.slice(entry.indexOf("=") + 1) })),
  };
}

test("direct and indirect dependencies: the last is loaded first", () => {
  const { modules } = partsOfScan(
    [
      scanned("ext4.ko.zst", "depends=jbd2,mbcache,crc-16"),
      scanned("jbd2.ko.zst", "depends=journal"),
      scanned("journal.ko.zst", "depends="),
      scanned("crc-16.ko.zst"),
    ],
    NONE,
  );
  expect(modules[0]).toEqual({
    name: "ext4",
    path: "ext4.ko.zst",
    dependencies: ["crc_16", "mbcache", "jbd2", "journal"],
  });
  expect(modules[2]?.dependencies).toEqual([]);
});

test("circles end", () => {
  const { modules } = partsOfScan([scanned("a.ko", "depends=b"), scanned("b.ko", "depends=a")], NONE);
  expect(modules.map(({ dependencies }) => dependencies)).toEqual([["b"], ["a"]]);
});

test("aliases and soft dependencies, as depmod writes them", () => {
  const parts = partsOfScan(
    [scanned("virtio-blk.ko", "alias=virtio:d00000002v*", "alias=a-b[c-d]", "alias=]", "softdep=pre: x post: y")],
    { builtin: ["z"], builtinAliases: [] },
  );
  expect(parts.aliases).toEqual([
    { pattern: "virtio:d00000002v*", module: "virtio_blk" },
    { pattern: "a_b[c-d]", module: "virtio_blk" },
  ]);
  expect(parts.softDependencies).toBe("softdep virtio_blk pre: x post: y\n");
  expect(parts.builtin).toEqual(["z"]);
});
