import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ImageTree } from "../../../../src/desk/archive/tree.ts";
import { addFromHost } from "../../../../src/desk/image/addition.ts";
import { buildImage } from "../../../../src/desk/image/image.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";
import type { KernelFacts } from "../../../../src/desk/kernels/kernel-facts.ts";
import { readKernelConfig } from "../../../../src/desk/modules/kernel-config.ts";
import { PAGE_MAX_BYTES, refuseOtherKernel, refuseOtherPrograms } from "../../../../src/desk/program/architecture.ts";
import { EM } from "../../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { efiKernel, STUB } from "../../../support/efi-kernel.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { listenToVoice } from "../heard-voice.ts";
import { NO_OPTIONS } from "../image/no-options.ts";
import { moduleElf } from "../module-elf.ts";

/** Writes `content` below `root`. */
function write(root: string, path: string, content: string | Uint8Array, mode = 0o755): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
  return file;
}

/** An ELF file for the machine. */
function programFor(machine: number, bytes: Uint8Array = readFileSync(BUSYBOX)): Buffer {
  const program = Buffer.from(bytes);
  program.writeUInt16LE(machine, 18);
  return program;
}

const HERE = scratchDirectory();
const X86 = write(HERE, "busybox-x86", programFor(EM.X86_64));
const ARM = write(HERE, "busybox-arm", programFor(EM.AARCH64));
const output = join(HERE, "image");

/** Builds an image for AArch64; "" if nothing is refused. */
async function complaint(options: Partial<ImageOptions>): Promise<string> {
  const all = { ...NO_OPTIONS, kernel: "none", init: ARM, busybox: ARM, output, ...options };
  let refusal: readonly string[] = [];
  await buildImage(all, listenToVoice()).catch((error: unknown) => {
    refusal = refusalOf(() => {
      throw error;
    });
  });
  return refusal.join("\n");
}

/** Options for a kernel for AArch64 with these files in its root. */
function withKernel(files: Readonly<Record<string, string | Uint8Array>>, machine: number = EM.AARCH64) {
  const root = scratchDirectory();
  const module = programFor(machine, moduleElf("vermagic=6.1 SMP"));
  const lists = Object.fromEntries(["alias", "softdep", "order", "builtin"].map((name) => [`modules.${name}`, "#\n"]));
  const own = { "modules.dep": "kernel/fs/mine.ko:\n", "modules.builtin.modinfo": "kernel.license=GPL\0", ...lists };
  for (const [name, text] of Object.entries({ ...own, "kernel/fs/mine.ko": module }))
    write(root, `lib/modules/6.1/${name}`, text);
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  return { kernel: null, modulesDir: join(root, "lib/modules/6.1"), modules: ["mine"] };
}

/** An unpacked kernel of AArch64 with these flags in its header. */
function armKernel(flags: number): Buffer {
  const image = Buffer.alloc(4096);
  image.writeUInt32LE(flags, 24);
  image.write("ARMd", 56);
  return image;
}

describe("an image of one architecture", () => {
  test("is built, for this machine's or another one", async () => {
    expect(await complaint(withKernel({}))).toBe("");
    expect(await complaint({ ...withKernel({}, EM.X86_64), init: X86, busybox: X86 })).toBe("");
  });

  test("has no BusyBox of another one", async () => {
    const refusal = await complaint({ busybox: X86 });
    expect(refusal).toContain(`${X86} cannot be the image's BusyBox: it is for x86_64, but /init is for aarch64`);
    expect(refusal).toContain("name one for aarch64 with --busybox FILE");
    expect(await complaint({ init: X86, busybox: ARM })).toContain("it is for aarch64, but /init is for x86_64");
  });

  test("has no programs of another one", async () => {
    expect(await complaint({ programs: [X86] })).toContain(
      `cannot add the program ${X86}: it is for x86_64, but /init is for aarch64`,
    );
  });

  test("has no modules of another one", async () => {
    const options = withKernel({}, EM.X86_64);
    expect(await complaint(options)).toContain(
      `the modules in ${options.modulesDir} are for x86_64, but /init is for aarch64`,
    );
  });

  test("has no files of another one that a boot could start or load", async () => {
    const library = write(HERE, "library", programFor(EM.X86_64), 0o644);
    const mixed = (path: string, name = "x86_64") =>
      `the image would mix architectures: /init is for aarch64, ${path} for ${name}`;
    expect(await complaint({ additions: [{ source: X86, destination: "/sbin/tool" }] })).toContain(mixed("/sbin/tool"));
    const add = (destination: string, source: string) => {
      const tree: ImageTree = new Map();
      addFromHost(tree, { source, destination }, listenToVoice());
      return () => refuseOtherPrograms(tree, EM.AARCH64);
    };
    expect(add("/lib/libtool.so.1", library)).toThrow(mixed("/lib/libtool.so.1"));
    expect(add("/sbin/tool", write(HERE, "i386", programFor(EM.I386)))).toThrow(mixed("/sbin/tool", "i386"));
    // Nothing starts these: data, firmware for a processor of its own, 32-bit programs that the kernel runs, BPF.
    expect(add("/share/data", library)).not.toThrow();
    expect(add("/lib/firmware/dsp.elf", X86)).not.toThrow();
    expect(add("/sbin/tool", write(HERE, "arm", programFor(EM.ARM)))).not.toThrow();
    expect(add("/sbin/tool", write(HERE, "bpf", programFor(247)))).not.toThrow();
    expect(add("/sbin/tool", write(HERE, "short", "\x7fELF"))).not.toThrow();
  });

  test("has no microcode for AArch64", async () => {
    expect(await complaint({ microcode: true })).toContain("--microcode is for x86 only, and /init is for aarch64");
  });

  test("is in no unified kernel image of another one", async () => {
    const linux = write(HERE, "vmlinuz", efiKernel("6.1.0-56-amd64"));
    const uki = { linux, stub: STUB, cmdline: null, osRelease: null, splash: null, sign: null };
    expect(await complaint({ uki })).toContain("the kernel is for x86_64, but /init is for aarch64");
  });
});

describe("the pages of a kernel of AArch64", () => {
  const LARGE = "levain's runtime does not run on this kernel: its pages are of 64 KiB";

  const look =
    (files: Readonly<Record<string, string | Uint8Array>>, facts: KernelFacts | null = null) =>
    () => {
      const kernel = { version: "6.1", modulesDir: withKernel(files).modulesDir };
      refuseOtherKernel({ kernel, config: readKernelConfig(kernel), facts }, EM.AARCH64);
    };
  const config = (pages: number) => ({ "boot/config-6.1": `CONFIG_ARM64_${pages}K_PAGES=y\n` });
  const file = (flags: number) => ({ "boot/vmlinuz-6.1": armKernel(flags) });

  test("are known by its configuration", async () => {
    expect(await complaint(withKernel(config(64)))).toContain(LARGE);
    expect(look(config(16))).not.toThrow();
    expect(look(config(4))).not.toThrow();
  });

  test("are known by its file, if there is no configuration", () => {
    expect(look(file(6))).toThrow(LARGE);
    expect(look(file(4))).not.toThrow();
    expect(look(file(0))).not.toThrow();
    expect(look({ ...config(4), ...file(6) })).not.toThrow();
    expect(look({}, { architecture: "aarch64", release: "6.1", pageBytes: 65_536 })).toThrow(LARGE);
  });

  test("have the limit that stage0 has", () => {
    const limit = /^#define MOST_PAGE_KIB (\d+)$/m.exec(readFileSync("build/stage0/aarch64.h", "utf8"))?.[1];
    expect(`${PAGE_MAX_BYTES >> 10}`).toBe(limit ?? "none");
  });
});
