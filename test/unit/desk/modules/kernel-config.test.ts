import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { canUnpack, readKernelConfig } from "../../../../src/desk/modules/kernel-config.ts";
import { scratchDirectory } from "../../../support/cache.ts";

const CONFIG = `#
# Linux/x86 6.1 Kernel Configuration
CONFIG_BLK_DEV_INITRD=y
CONFIG_RD_GZIP=y
# CONFIG_RD_XZ is not set
CONFIG_RD_LZ4=y
CONFIG_USERFAULTFD=y
`;
const BUILTIN_CONFIGS = "kernel/kernel/configs.ko\n";

/** A kernel in a root with these files, by path below the root. */
function kernelWith(files: Readonly<Record<string, string | Uint8Array>>, modules = "lib/modules/6.1") {
  const root = scratchDirectory();
  for (const [path, data] of Object.entries({ [`${modules}/modules.dep`]: "", ...files })) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), data);
  }
  return readKernelConfig({ version: "6.1", modulesDir: join(root, modules) }, "5.0");
}

/** A configuration as CONFIG_IKCONFIG puts it into the kernel. */
function embedded(packed: Uint8Array = gzipSync(CONFIG)): Uint8Array {
  return Buffer.concat([Buffer.from("code\0IKCFG_ST\0IKCFG_ST"), packed, Buffer.from("IKCFG_EDmore")]);
}

/** A bzImage with one sector of setup code, whose payload is at `offset` behind it. */
function bzImage(payload: Uint8Array, offset = 64): Uint8Array {
  const bytes = Buffer.alloc(1024 + 64 + payload.length + 4);
  bytes[0x1f1] = 1;
  bytes.write("HdrS", 0x202);
  bytes.writeUInt32LE(offset, 0x248);
  bytes.set(payload, 1024 + 64);
  return bytes;
}

const knows = (config: ReturnType<typeof kernelWith>) => [config("USERFAULTFD"), config("RD_XZ"), config("NOWHERE")];
const KNOWN = [true, false, false];
const UNKNOWN = [null, null, null];

describe("the configuration of a kernel", () => {
  test.each([
    ["lib/modules/6.1", "boot/config-6.1"],
    ["usr/lib/modules/6.1", "boot/config-6.1"],
    ["usr/lib/modules/6.1", "usr/lib/modules/6.1/config"],
    ["lib/modules/6.1", "lib/modules/6.1/config"],
    ["lib/modules/6.1", "lib/modules/6.1/build/.config"],
  ])("modules in %s, configuration in %s", (modules, place) => {
    const config = kernelWith({ [place]: CONFIG }, modules);
    expect(knows(config)).toEqual(KNOWN);
    expect((["gzip", "lz4", "none", "xz", "zstd"] as const).map((method) => canUnpack(config, method))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test.each([
    ["vmlinux in the modules' directory", "lib/modules/6.1/vmlinuz", embedded()],
    ["a bzImage", "boot/vmlinuz-6.1", bzImage(gzipSync(embedded()))],
    ["a bzImage compressed with zstd", "lib/modules/6.1/vmlinuz", bzImage(zstdCompressSync(embedded()))],
    ["a kernel compressed as a whole", "boot/vmlinuz-6.1", gzipSync(embedded())],
  ])("is in %s", (_what, place, bytes) => {
    expect(knows(kernelWith({ [place]: bytes, "lib/modules/6.1/modules.builtin": BUILTIN_CONFIGS }))).toEqual(KNOWN);
    // Without the list, the kernel may contain it; the list of one without CONFIG_IKCONFIG does not name it.
    expect(knows(kernelWith({ [place]: bytes }))).toEqual(KNOWN);
    expect(knows(kernelWith({ [place]: bytes, "lib/modules/6.1/modules.builtin": "kernel/fs/fat/fat.ko\n" }))).toEqual(
      UNKNOWN,
    );
  });

  test("is in the module configs.ko, also compressed", () => {
    const elf = Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01"), embedded()]);
    const builtin = { "lib/modules/6.1/modules.builtin": "#\n" };
    expect(knows(kernelWith({ "lib/modules/6.1/kernel/kernel/configs.ko": elf, ...builtin }))).toEqual(KNOWN);
    const packed = zstdCompressSync(elf);
    expect(knows(kernelWith({ "lib/modules/6.1/kernel/kernel/configs.ko.zst": packed, ...builtin }))).toEqual(KNOWN);
  });

  const bomb = gzipSync(Buffer.alloc(9 << 20));
  test.each([
    ["none", {}],
    ["an empty file", { "boot/config-6.1": "" }],
    ["a file of something else", { "boot/config-6.1": "not a configuration\n" }],
    ["a kernel without it", { "boot/vmlinuz-6.1": bzImage(gzipSync(Buffer.alloc(4096))) }],
    ["gzip cut off", { "boot/vmlinuz-6.1": embedded(gzipSync(CONFIG).subarray(0, 40)) }],
    ["no end", { "boot/vmlinuz-6.1": embedded().subarray(0, 60) }],
    ["damaged gzip", { "boot/vmlinuz-6.1": embedded(Buffer.concat([Buffer.of(0x1f, 0x8b), Buffer.alloc(90, 7)])) }],
    ["more than any kernel's", { "boot/vmlinuz-6.1": embedded(bomb) }],
    ["a payload beyond the end", { "boot/vmlinuz-6.1": bzImage(gzipSync(embedded()), 0xffffff00) }],
    ["a payload cut off", { "boot/vmlinuz-6.1": bzImage(gzipSync(embedded()).subarray(0, 50)) }],
    ["a bzImage that ends in its header", { "boot/vmlinuz-6.1": bzImage(Buffer.alloc(0)).subarray(0, 0x24a) }],
    ["an empty kernel", { "boot/vmlinuz-6.1": "" }],
    ["a damaged module", { "lib/modules/6.1/kernel/kernel/configs.ko.zst": "no" }],
  ])("is not known: %s", (_what, files: Readonly<Record<string, string | Uint8Array>>) => {
    expect(knows(kernelWith(files))).toEqual(UNKNOWN);
  });

  test("is not known where a directory has the name of the file", () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "lib/modules/6.1/config"), { recursive: true });
    mkdirSync(join(root, "boot/config-6.1"), { recursive: true });
    expect(knows(readKernelConfig({ version: "6.1", modulesDir: join(root, "lib/modules/6.1") }, "5.0"))).toEqual(
      UNKNOWN,
    );
  });
});
