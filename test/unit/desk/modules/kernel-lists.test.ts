import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { readKernelFiles } from "../../../../src/desk/modules/kernel-lists.ts";
import { selectModules } from "../../../../src/desk/modules/modules.ts";
import { parseIndex } from "../../../../src/drivers/index/index-file.ts";
import { resolveModule } from "../../../../src/drivers/index/resolution.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { readContent } from "../../../support/read-cpio.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { moduleElf } from "../module-elf.ts";

const VIRTIO_BLK = "kernel/drivers/block/virtio_blk.ko";
const EXT4 = "kernel/fs/ext4/ext4.ko.zst";

const MODULES: Readonly<Record<string, Uint8Array>> = {
  [VIRTIO_BLK]: moduleElf("alias=virtio:d00000002v*", "depends=virtio,virtio-ring"),
  "kernel/drivers/virtio/virtio.ko": moduleElf("license=GPL"),
  "kernel/drivers/virtio/virtio_ring.ko": moduleElf("depends=virtio"),
  [EXT4]: zstdCompressSync(moduleElf("alias=fs-ext4", "softdep=pre: crypto-crc32c", "depends=")),
  "kernel/crypto/crc32c_generic.ko": moduleElf("alias=crypto-crc32c"),
};

// As depmod writes them.
const LISTS: Readonly<Record<string, string>> = {
  "modules.dep": `${VIRTIO_BLK}: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
${EXT4}:
kernel/crypto/crc32c_generic.ko:
`,
  "modules.alias": "alias virtio:d00000002v* virtio_blk\nalias fs-ext4 ext4\nalias crypto-crc32c crc32c_generic\n",
  "modules.softdep": "softdep ext4 pre: crypto-crc32c\n",
  "modules.order": `${VIRTIO_BLK}\n`,
  "modules.builtin": "kernel/net/unix/unix.ko\n",
};

function tree(changes: Readonly<Record<string, string | Uint8Array | null>> = {}): string {
  const directory = scratchDirectory();
  for (const [name, data] of Object.entries({ ...MODULES, ...LISTS, ...changes })) {
    if (data === null) continue;
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), data);
  }
  return directory;
}

const complaint = (directory: string) => refusalOf(() => readKernelFiles(directory)).join("\n");

/** What the index of an image from this tree loads for a name or an alias. */
function loads(directory: string, asked: string): readonly string[] {
  const kernel = { version: "6.1.0-test", modulesDir: directory };
  const { files } = selectModules({ kernel, add: [], firmwareDirs: [] });
  const file = files.find(({ path }) => path.endsWith("/levain-modules"));
  const index = parseIndex(new TextDecoder().decode(file && readContent(file.content)));
  if (index === null) throw new Error("the index cannot be read");
  const config = { aliases: [], blacklist: [], options: [], softDependencies: [], install: [], problems: [] };
  return resolveModule({ index, config }, asked).flatMap(({ actions }) => actions.map(({ name }) => name));
}

test("lists that are complete are used as they are", () => {
  const lists = readKernelFiles(tree());
  expect(lists).toMatchObject({ dep: LISTS["modules.dep"], alias: LISTS["modules.alias"], warnings: [] });
});

describe("depmod's lists are made from the modules", () => {
  const CUT = "alias virtio:d00000002v* virtio_blk\nalias fs-ext4 ex";
  test.each([
    ["modules.alias is missing", { "modules.alias": null }, "modules.alias"],
    ["modules.alias is empty, as after a crash", { "modules.alias": "" }, "modules.alias"],
    ["modules.alias is cut off", { "modules.alias": CUT }, "modules.alias"],
    ["modules.softdep is missing", { "modules.softdep": null }, "modules.softdep"],
    ["modules.dep is empty", { "modules.dep": "" }, "modules.dep"],
    [
      "all of them are missing",
      { "modules.dep": null, "modules.alias": null, "modules.softdep": null },
      "modules.dep, modules.alias, modules.softdep",
    ],
  ])("if %s", (_, changes, named) => {
    const directory = tree(changes);
    expect(readKernelFiles(directory).warnings).toEqual([expect.stringContaining(`has no usable ${named}:`)]);
    expect(loads(directory, "virtio:d00000002v00001AF4")).toEqual(["virtio", "virtio_ring", "virtio_blk"]);
    const { names } = selectModules({ kernel: { version: "6.1.0-test", modulesDir: directory }, add: [] });
    expect(names).toContain("crc32c_generic");
  });

  test("of several modules with one name the one that depmod takes", () => {
    const updated = moduleElf("alias=virtio:d00000002v*", "alias=virtio:d00000099v*", "depends=virtio,virtio-ring");
    const directory = tree({ "modules.alias": null, "updates/dkms/virtio_blk.ko": updated });
    mkdirSync(join(directory, "weak-updates"));
    symlinkSync("../kernel/crypto/crc32c_generic.ko", join(directory, "weak-updates/virtio.ko"));
    symlinkSync(directory, join(directory, "build"));
    const { dep, alias } = readKernelFiles(directory);
    expect(dep).toContain(
      "updates/dkms/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko\n",
    );
    expect(dep.match(/virtio_blk\.ko:/g)).toHaveLength(1);
    expect(alias).toContain("alias virtio:d00000099v* virtio_blk\n");
    expect(dep).not.toContain("build/");
  });
});

describe("a tree is refused", () => {
  test.each(["modules.order", "modules.builtin"])("without %s, which no module says", (name) => {
    for (const text of [null, "", "kernel/net/uni"]) {
      const said = complaint(tree({ [name]: text }));
      expect(said).toContain(`${name} is missing, empty or cut off`);
      expect(said).toContain("reinstall the kernel package");
    }
    expect(readKernelFiles(tree({ [name]: "#\n" })).warnings).toEqual([]);
  });

  test("if it has no module at all", () => {
    const gone = Object.fromEntries(Object.keys(MODULES).map((name) => [name, null]));
    expect(complaint(tree({ ...gone, "modules.dep": "" }))).toContain("no kernel modules in");
  });

  test("if a module that has to be read is damaged", () => {
    expect(complaint(tree({ "modules.alias": null, [EXT4]: "junk" }))).toContain("is damaged");
    expect(complaint(tree({ "modules.alias": null, [VIRTIO_BLK]: "" }))).toContain("is damaged");
  });

  test.if(process.getuid?.() !== 0)("if a list cannot be read", () => {
    const directory = tree();
    chmodSync(join(directory, "modules.alias"), 0);
    expect(complaint(directory)).toContain("cannot read");
  });
});
