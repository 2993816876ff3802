import { describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type ModuleRequest, type ModuleSelection, selectModules } from "../../../../src/desk/modules/modules.ts";
import { parseIndex } from "../../../../src/drivers/index/index-file.ts";
import { findModule, listModules } from "../../../../src/drivers/index/module-index.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { readContent } from "../../../support/read-cpio.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { moduleElf } from "../module-elf.ts";

const VERSION = "6.1.0-test";

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "modules.dep": `kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/crypto/crc32c_generic.ko.gz:
kernel/drivers/ata/ahci.ko.zst: kernel/drivers/ata/libahci.ko.xz
kernel/drivers/ata/libahci.ko.xz:
kernel/drivers/ata/pata_pcmcia.ko:
kernel/drivers/net/card.ko:
kernel/drivers/net/cards.ko:
`,
  "modules.alias": "alias fs-ext4 ext4\nalias crypto-crc32c crc32c_generic\nalias pci:v1d2* card\n",
  "modules.softdep": "softdep ext4 pre: missing\nsoftdep ext4 pre: crypto-crc32c\nsoftdep card pre: x\n",
  "modules.order": "kernel/fs/jbd2/jbd2.ko\nkernel/fs/ext4/ext4.ko\n",
  "modules.builtin": "kernel/net/unix/unix.ko\n",
  "modules.builtin.modinfo": "unix.alias=net-pf-1\0",
  "kernel/fs/ext4/ext4.ko": moduleElf("license=GPL"),
  "kernel/fs/jbd2/jbd2.ko": moduleElf("license=GPL"),
  "kernel/crypto/crc32c_generic.ko.gz": gzipSync(moduleElf("license=GPL")),
  "kernel/drivers/ata/ahci.ko.zst": zstdCompressSync(
    moduleElf("firmware=ahci/one.bin", "firmware=ahci/none.bin", "firmware=../../etc/passwd", "firmware=many/*.bin"),
  ),
  "kernel/drivers/ata/libahci.ko.xz": Bun.spawnSync(["xz", "-c"], { stdin: moduleElf("license=GPL") }).stdout,
  "kernel/drivers/ata/pata_pcmcia.ko": moduleElf(),
  "kernel/drivers/net/card.ko": moduleElf(),
  "kernel/drivers/net/cards.ko": moduleElf(),
  "firmware/ahci/one.bin.zst": "firmware",
  "firmware/many/a.bin": "a",
  "firmware/many/b.bin": "b",
};

function kernelWith(files: Readonly<Record<string, string | Uint8Array | null>> = {}): ModuleRequest {
  const directory = scratchDirectory();
  for (const [name, data] of Object.entries({ ...FILES, ...files })) {
    if (data === null) continue;
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), data);
  }
  const kernel = { version: VERSION, modulesDir: directory };
  return { kernel, add: [], firmwareDirs: [join(directory, "firmware")] };
}

const complaint = (action: () => unknown) => refusalOf(action).join("\n");

function textOf({ files }: ModuleSelection, name: string): string {
  const file = files.find(({ path }) => path === `/lib/modules/${VERSION}/${name}`);
  if (file === undefined) throw new Error(`no ${name} in the selection`);
  return new TextDecoder().decode(readContent(file.content));
}

describe("the default modules", () => {
  test("contain those of the volumes that levain activates", () => {
    const md = [
      ...["dm-mod", "dm-crypt", "dm-verity", "dm-raid", "dm-thin-pool", "raid0", "raid1", "raid10", "raid456"],
      ...["dm-snapshot", "dm-mirror", "dm-cache", "dm-cache-smq", "dm-writecache", "dm-integrity"],
    ];
    const paths = md.map((name) => `kernel/drivers/md/${name}.ko`);
    const dep = `${FILES["modules.dep"]}${paths.map((path) => `${path}:\n`).join("")}`;
    const modules = Object.fromEntries(paths.map((path) => [path, moduleElf()]));
    const { names } = selectModules(kernelWith({ ...modules, "modules.dep": dep }));
    expect(md.map((name) => name.replaceAll("-", "_")).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("come with what they need, soft dependencies too; what the table takes back stays away", () => {
    expect([...selectModules(kernelWith()).names].sort()).toEqual([
      "ahci",
      "crc32c_generic",
      "ext4",
      "jbd2",
      "libahci",
    ]);
  });

  test.each(["updates/dkms", "extra/ahci", "weak-updates/ahci"])(
    "are found in %s too, and take the place of the kernel's own in the image",
    (place) => {
      const dep =
        FILES["modules.dep"]?.toString().replaceAll("kernel/drivers/ata/ahci.ko.zst", `${place}/ahci.ko`) ?? "";
      const order = `${FILES["modules.order"]}kernel/drivers/ata/ahci.ko\n`;
      const replaced = { "modules.dep": dep, "modules.order": order, [`${place}/ahci.ko`]: moduleElf("license=mine") };
      const selection = selectModules(kernelWith(replaced));
      expect(selection.names).toContain("ahci");
      const path = `/lib/modules/${VERSION}/kernel/drivers/ata/ahci.ko`;
      const file = selection.files.find((one) => one.path === path);
      expect(file && Buffer.from(readContent(file.content)).toString("latin1")).toContain("license=mine");
      expect(textOf(selection, "modules.dep")).toContain(
        "\nkernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko\n",
      );
    },
  );

  test("are read where absolute links lead in the system that they are in", () => {
    const request = kernelWith({
      "modules.dep": "weak-updates/ahci.ko:\n",
      "modules.order": "kernel/drivers/ata/ahci.ko\n",
    });
    const root = scratchDirectory();
    const modulesDir = join(root, "lib/modules", VERSION);
    cpSync(request.kernel.modulesDir, modulesDir, { recursive: true });
    mkdirSync(join(modulesDir, "weak-updates"));
    mkdirSync(join(root, "lib/modules/6.0/updates"), { recursive: true });
    symlinkSync("/lib/modules/6.0/updates/ahci.ko", join(modulesDir, "weak-updates/ahci.ko"));
    writeFileSync(join(root, "lib/modules/6.0/updates/ahci.ko"), moduleElf("license=other"));
    const select = (from: string) =>
      selectModules({ ...request, root: from, kernel: { version: VERSION, modulesDir } });
    expect(select(root).names).toEqual(["ahci"]);
    expect(complaint(() => select("/"))).toContain("weak-updates/ahci.ko");
    rmSync(join(modulesDir, "modules.dep"));
    expect(select(root).names).toContain("ahci");
  });

  test("are stored uncompressed", () => {
    const { files } = selectModules(kernelWith());
    const modules = files.filter(({ path }) => path.includes("/kernel/"));
    expect(modules.map(({ path }) => path).sort()).toEqual(
      [
        "crypto/crc32c_generic.ko",
        "drivers/ata/ahci.ko",
        "drivers/ata/libahci.ko",
        "fs/ext4/ext4.ko",
        "fs/jbd2/jbd2.ko",
      ].map((path) => `/lib/modules/${VERSION}/kernel/${path}`),
    );
    for (const { content } of modules) expect(readContent(content).subarray(1, 4)).toEqual(Buffer.from("ELF"));
  });

  test("are compressed for an image, but for those of a virtual machine", () => {
    const more = ["drivers/hv/hv_vmbus", "drivers/virtio/virtio", "lib/reed_solomon/reed_solomon"];
    const dep = `${FILES["modules.dep"]}${more.map((path) => `kernel/${path}.ko:\n`).join("")}`;
    const drivers = Object.fromEntries(more.map((path) => [`kernel/${path}.ko`, moduleElf("license=GPL")]));
    const request = kernelWith({ ...drivers, "modules.dep": dep });
    const packed = () => selectModules({ ...request, add: ["hv_vmbus", "virtio", "reed_solomon"], isPacked: true });
    const { files } = packed();
    const modules = files.filter(({ path }) => path.includes("/kernel/"));
    expect(modules.map(({ path }) => path.slice(`/lib/modules/${VERSION}/kernel/`.length)).sort()).toEqual([
      "crypto/crc32c_generic.ko.gz",
      "drivers/ata/ahci.ko.gz",
      "drivers/ata/libahci.ko.gz",
      "drivers/hv/hv_vmbus.ko.gz",
      "drivers/virtio/virtio.ko",
      "fs/ext4/ext4.ko.gz",
      "fs/jbd2/jbd2.ko.gz",
      "lib/reed_solomon/reed_solomon.ko.gz",
    ]);
    for (const { path, content } of modules) {
      const bytes = readContent(content);
      const plain = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
      expect(Buffer.from(plain.subarray(1, 4)).toString()).toBe("ELF");
      expect(readContent(packed().files.find((file) => file.path === path)?.content ?? content)).toEqual(bytes);
    }
    expect(textOf(packed(), "modules.dep")).toContain(
      "kernel/drivers/ata/ahci.ko.gz: kernel/drivers/ata/libahci.ko.gz\n",
    );
    expect(textOf(packed(), "modules.order")).toContain("kernel/drivers/ata/ahci.ko\n");
    expect(textOf(packed(), "levain-modules")).toContain("kernel/drivers/ata/ahci.ko.gz libahci");
  });

  test("include their firmware as it is on this host, and report what is missing", () => {
    const { files, missingFirmware } = selectModules(kernelWith());
    const firmware = files.map(({ path }) => path).filter((path) => path.startsWith("/lib/firmware/"));
    expect(firmware.sort()).toEqual(
      ["ahci/one.bin.zst", "many/a.bin", "many/b.bin"].map((name) => `/lib/firmware/${name}`),
    );
    expect(missingFirmware).toEqual(["../../etc/passwd", "ahci/none.bin"]);
  });

  test("have lists that name them and nothing else", () => {
    const selection = selectModules(kernelWith());
    expect(textOf(selection, "modules.dep")).toBe(`kernel/fs/jbd2/jbd2.ko:
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/crypto/crc32c_generic.ko:
kernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko
kernel/drivers/ata/libahci.ko:
`);
    expect(textOf(selection, "modules.alias")).toBe("alias fs-ext4 ext4\nalias crypto-crc32c crc32c_generic\n");
    expect(textOf(selection, "modules.softdep")).toBe("softdep ext4 pre: missing\nsoftdep ext4 pre: crypto-crc32c\n");
    expect(textOf(selection, "modules.builtin")).toBe("kernel/net/unix/unix.ko\n");
    const missing = selection.files.find(({ path }) => path.endsWith("/levain-missing.zst"));
    if (missing === undefined) throw new Error("no list of what is not there");
    expect(String(zstdDecompressSync(readContent(missing.content)))).toBe("alias pci:v1d2* card\n");
    const index = parseIndex(textOf(selection, "levain-modules"));
    if (index === null) throw new Error("the index cannot be read");
    expect(index.kernel).toBe(VERSION);
    expect(listModules(index).map(({ name }) => name)).toEqual(["jbd2", "ext4", "crc32c_generic", "ahci", "libahci"]);
    expect(findModule(index, "ahci")?.path).toBe("kernel/drivers/ata/ahci.ko");
  });
});

describe("modules asked for", () => {
  const add = (...names: readonly string[]) => selectModules({ ...kernelWith(), add: names });

  test.each(["card", "pci:v1d2sv3", "kernel/drivers/net/card.ko", "card.ko.xz"])("%s", (name) => {
    expect(add(name).names).toContain("card");
    expect(add(name).names).not.toContain("cards");
  });

  test("are no error when they are built in", () => {
    expect(add("unix", "net-pf-1").builtin).toEqual(["unix", "unix"]);
  });

  test("are refused when the kernel does not have them, with those that may have been meant", () => {
    const refused = () => add("car_d");
    expect(refused).toThrow(BootError);
    expect(refused).toThrow('kernel 6.1.0-test has no module or alias "car_d"');
    try {
      refused();
    } catch (error) {
      expect((error as BootError).seen).toEqual(["card", "cards"]);
    }
  });
});

describe("a kernel that is not whole", () => {
  test("whose modules.dep has lost a line that another needs", () => {
    const dep = String(FILES["modules.dep"]).replace("kernel/fs/jbd2/jbd2.ko:\n", "");
    const refused = () => selectModules(kernelWith({ "modules.dep": dep }));
    expect(refused).toThrow("dependencies are missing");
    expect(complaint(refused)).toContain("seen: ext4 needs jbd2");
  });

  test("whose modules are another kernel's", () => {
    const of = (version: string) => moduleElf(`vermagic=${version} SMP preempt mod_unload `);
    const tree = { "kernel/fs/ext4/ext4.ko": of("6.2.0"), "kernel/fs/jbd2/jbd2.ko": of("6.2.0") };
    const refused = () => selectModules(kernelWith(tree));
    expect(refused).toThrow("are not for kernel 6.1.0-test");
    expect(complaint(refused)).toContain("--kernel 6.2.0");
    // A module that was built for another kernel is beside those that fit.
    expect(selectModules(kernelWith({ ...tree, "kernel/fs/jbd2/jbd2.ko": of(VERSION) })).names).toContain("ext4");
  });

  test("without the aliases of built-in drivers, which kernels have since 5.2", () => {
    const warnings = (version: string, modinfo: string | null) => {
      const { kernel, ...request } = kernelWith({ "modules.builtin.modinfo": modinfo });
      return selectModules({ ...request, kernel: { ...kernel, version } }).warnings;
    };
    expect(warnings(VERSION, "unix.alias=net-pf-1\0")).toEqual([]);
    for (const version of ["4.19.0-27-amd64", "5.1.21"]) expect(warnings(version, null)).toEqual([]);
    for (const version of [VERSION, "5.2.0", "10.0"]) {
      expect(warnings(version, null)).toEqual([expect.stringContaining("modules.builtin.modinfo is missing")]);
    }
    expect(warnings(VERSION, "unix.alias=net-p")).toHaveLength(1);
  });

  test("with a module that is empty, as after a crash", () => {
    expect(() => selectModules(kernelWith({ "kernel/fs/jbd2/jbd2.ko": "" }))).toThrow("is damaged: it is not an ELF");
  });

  test("with modules whose firmware this host does not have", () => {
    const card = moduleElf("firmware=card/a.bin", "firmware=card/b.bin");
    const lacking = (name: string) => {
      const kernel = kernelWith({ "kernel/drivers/net/card.ko": card, [`firmware/card/${name}`]: "x" });
      return selectModules({ ...kernel, add: ["card"] }).lackingFirmware;
    };
    // Of several versions of one firmware a device needs one.
    expect(lacking("b.bin.xz")).toEqual([]);
    expect(lacking("c.bin")).toEqual([{ name: "card", firmware: ["card/a.bin", "card/b.bin"], isAsked: true }]);
  });

  test("with a module that is missing or damaged", () => {
    expect(() => selectModules(kernelWith({ "kernel/fs/jbd2/jbd2.ko": null }))).toThrow("cannot read the module");
    for (const name of ["drivers/ata/ahci.ko.zst", "drivers/ata/libahci.ko.xz", "crypto/crc32c_generic.ko.gz"]) {
      expect(() => selectModules(kernelWith({ [`kernel/${name}`]: "junk" }))).toThrow("is damaged");
    }
  });
});
