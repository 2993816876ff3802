import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildImage } from "../../../../src/desk/image/image.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";
import { EM } from "../../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { efiKernel, STUB } from "../../../support/efi-kernel.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { listenToVoice } from "../heard-voice.ts";
import { moduleElf } from "../module-elf.ts";
import { NO_OPTIONS } from "./no-options.ts";

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
    expect(await complaint({})).toBe("");
    expect(await complaint(withKernel({}))).toBe("");
    expect(await complaint({ ...withKernel({}, EM.X86_64), init: X86, busybox: X86, microcode: false })).toBe("");
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
    const add = async (destination: string, source: string) =>
      (await complaint({ additions: [{ source, destination }] })).split("\n")[0];
    const library = write(HERE, "library", programFor(EM.X86_64), 0o644);
    const mixed = (path: string, name = "x86_64") =>
      `the image would mix architectures: /init is for aarch64, ${path} for ${name}`;
    expect(await add("/sbin/tool", X86)).toBe(mixed("/sbin/tool"));
    expect(await add("/lib/libtool.so.1", library)).toBe(mixed("/lib/libtool.so.1"));
    expect(await add("/sbin/tool", write(HERE, "i386", programFor(EM.I386)))).toBe(mixed("/sbin/tool", "i386"));
    // Nothing starts these: data, firmware for a processor of its own, 32-bit programs that the kernel runs, BPF.
    expect(await add("/share/data", library)).toBe("");
    expect(await add("/lib/firmware/dsp.elf", X86)).toBe("");
    expect(await add("/sbin/tool", write(HERE, "arm", programFor(EM.ARM)))).toBe("");
    expect(await add("/sbin/tool", write(HERE, "bpf", programFor(247)))).toBe("");
    expect(await add("/sbin/tool", write(HERE, "short", Buffer.from("\x7fELF")))).toBe("");
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

  test("are known by its configuration", async () => {
    const config = (pages: number) => withKernel({ "boot/config-6.1": `CONFIG_ARM64_${pages}K_PAGES=y\n` });
    expect(await complaint(config(64))).toContain(LARGE);
    expect(await complaint(config(16))).toBe("");
    expect(await complaint(config(4))).toBe("");
  });

  test("are known by its file, if there is no configuration", async () => {
    const file = (flags: number) => withKernel({ "boot/vmlinuz-6.1": armKernel(flags) });
    expect(await complaint(file(6))).toContain(LARGE);
    expect(await complaint(file(4))).toBe("");
    expect(await complaint(file(0))).toBe("");
    const config = { "boot/config-6.1": "CONFIG_ARM64_4K_PAGES=y\n", "boot/vmlinuz-6.1": armKernel(6) };
    expect(await complaint(withKernel(config))).toBe("");
  });
});
