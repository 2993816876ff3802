import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseCompression } from "../../../../src/desk/archive/compress.ts";
import { buildImage } from "../../../../src/desk/image/image.ts";
import { readUki } from "../../../../src/desk/inspect/uki.ts";
import { appendSections } from "../../../../src/desk/uki/append-sections.ts";
import { EFI_NAMES } from "../../../../src/desk/uki/efi-names.ts";
import { parseSigningKey, type UkiOptions } from "../../../../src/desk/uki/options.ts";
import { readUkiParts } from "../../../../src/desk/uki/uki.ts";
import { readPe } from "../../../../src/formats/kernels/pe.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { DIRECTORY, rawCpio } from "../../../support/crafted-cpio.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { armEfiPrograms, efiKernel, STUB } from "../../../support/efi-kernel.ts";
import { debianKernel } from "../../../support/kernels.ts";
import { laterRefusalOf, refusalOf } from "../../../support/refusal.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { listenToVoice } from "../heard-voice.ts";
import { NO_OPTIONS } from "../image/no-options.ts";

const directory = scratchDirectory();

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const linux = file("vmlinuz", efiKernel("6.1.0-56-amd64"));
const OPTIONS: UkiOptions = {
  linux,
  stub: STUB,
  cmdline: "root=LABEL=ROOT quiet",
  osRelease: file("os release", 'ID=bread\nPRETTY_NAME="Bread 1"\n'),
  splash: file("splash.bmp", "BM and a picture"),
  sign: null,
};

async function build(uki: Partial<UkiOptions>, name = "a kernel.efi"): Promise<string> {
  const output = join(directory, name);
  const options = { ...NO_OPTIONS, kernel: "none", init: BUSYBOX, compression: parseCompression("none"), output };
  await buildImage({ ...options, uki: { ...OPTIONS, ...uki } }, listenToVoice());
  return output;
}

describe("a unified kernel image", () => {
  test("has the sections of the specification, as binutils read them", async () => {
    const image = await build({});
    const dumped = (name: string) => join(directory, `dump${name}`);
    const names = [".osrel", ".cmdline", ".uname", ".splash", ".initrd", ".linux"];
    const dumps = names.flatMap((name) => ["--dump-section", `${name}=${dumped(name)}`]);
    await run(["objcopy", ...dumps, image, join(directory, "copy.efi")]);
    expect(readFileSync(dumped(".osrel"), "utf8")).toBe('ID=bread\nPRETTY_NAME="Bread 1"\n');
    expect(readFileSync(dumped(".cmdline"), "utf8")).toBe("root=LABEL=ROOT quiet");
    expect(readFileSync(dumped(".uname"), "utf8")).toBe("6.1.0-56-amd64");
    expect(Buffer.compare(readFileSync(dumped(".linux")), readFileSync(linux))).toBe(0);
    expect(readFileSync(dumped(".initrd")).subarray(0, 4).toString("hex")).toBe("30373037");
    const headers = await run(["objdump", "--private-headers", "--section-headers", image]);
    const pe = readPe(readFileSync(image));
    const last = pe?.sections.at(-1);
    expect(Number.parseInt(/^SizeOfImage\s+(\w+)/m.exec(headers)?.[1] ?? "", 16)).toBeGreaterThanOrEqual(
      (last?.address ?? 0) + (last?.size ?? 0),
    );
    expect(headers).toContain("EFI application");
  });

  test("is the same for the same input, and without the sections that nothing was given for", async () => {
    const [one, other] = [await build({}), await build({}, "again.efi")];
    expect(Buffer.compare(readFileSync(one), readFileSync(other))).toBe(0);
    const names = (path: string) => readPe(readFileSync(path))?.sections.map(({ name }) => name) ?? [];
    const bare = names(await build({ cmdline: null, splash: null }));
    expect(bare.slice(-4)).toEqual([".osrel", ".uname", ".initrd", ".linux"]);
    expect(bare).not.toContain(".cmdline");
  });

  test("is what levain inspect shows and levain extract unpacks; levain graft refuses it", async () => {
    const image = await build({});
    const { status, stdout } = await desk("inspect", image);
    expect(status).toBe(0);
    expect(stdout).toMatch(/ \.initrd +\d+ +\d+\n/);
    expect(stdout).toContain("system    Bread 1\n");
    expect(stdout).toContain("cmdline   root=LABEL=ROOT quiet\n");
    expect(stdout).toContain("signature none\n");
    expect(stdout).toMatch(/ 1 +0 +\d+ +none +newc/);
    expect(JSON.parse((await desk("inspect", "--json", image)).stdout).uki.cmdline).toBe("root=LABEL=ROOT quiet");
    const target = join(directory, "unpacked");
    expect((await desk("extract", image, target, "--member", "init")).stdout).toBe(`${target}\n  entries  1\n`);
    expect(Buffer.compare(readFileSync(join(target, "init")), readFileSync(BUSYBOX))).toBe(0);
    expect((await desk("graft", image)).stderr).toContain("it is a unified kernel image");
    expect((await desk("inspect", STUB)).stderr).toContain("is a program for EFI without an initramfs");
  });

  test("has its microcode in .ucode if the stub reads that section, else at the beginning of .initrd", () => {
    const early = rawCpio([
      { name: "kernel", mode: DIRECTORY },
      { name: "kernel/x86/microcode/AuthenticAMD.bin", data: "microcode" },
    ]);
    const [old, recent] = [readFileSync(STUB), readFileSync(STUB)];
    recent.write(".ucode", recent.indexOf("systemd-stub"));
    const read = (stub: Buffer, initrd: Buffer) => {
      const image = Buffer.concat(readUkiParts({ ...OPTIONS, stub: file("stub", stub) }, null).join(initrd));
      const find = (wanted: string) => readPe(image)?.sections.find(({ name }) => name === wanted);
      return [".ucode", ".initrd"].map((name) => find(name)?.size);
    };
    const rest = Buffer.from("compressed data");
    const both = Buffer.concat([early, rest]);
    expect(read(old, both)).toEqual([undefined, both.length]);
    expect(read(recent, both)).toEqual([early.length, rest.length]);
    expect(read(recent, rest)).toEqual([undefined, rest.length]);
    const other = rawCpio([{ name: "init", data: "x" }]);
    expect(read(recent, other)).toEqual([undefined, other.length]);
  });
});

describe("what cannot become one is refused before anything is built", () => {
  const refuse = async (uki: Partial<UkiOptions>) => (await laterRefusalOf(() => build(uki))).join("\n");

  test.each([
    ["a kernel that is none", { linux: STUB }, "is not a kernel for x86 or AArch64"],
    ["a stub that is none", { stub: OPTIONS.splash }, "is not a program for EFI"],
    ["a stub that is missing", { stub: "/nowhere" }, "apt install systemd-boot-efi"],
    ["a directory as the kernel", { linux: directory }, "not a regular file"],
    ["a picture of another kind", { splash: OPTIONS.osRelease }, "is not a Windows bitmap"],
    ["a command line that is cut off", { cmdline: "x".repeat(2048) }, "2048 bytes"],
    ["a command line with an escape sequence", { cmdline: "quiet \u001b[31m" }, "contains a control character"],
    ["a key that is missing", { sign: { key: "/nowhere.key", certificate: "/nowhere.crt" } }, "cannot read the key"],
  ])("%s", async (_, uki, message) => {
    expect(await refuse(uki)).toContain(message);
  });

  test("a kernel that its modules do not belong to", () => {
    const kernel = { version: "6.1", modulesDir: "/lib/modules/6.1" };
    expect(refusalOf(() => readUkiParts(OPTIONS, kernel)).join("\n")).toMatch(
      /is Linux 6\..*, but the modules are those of 6\.1/,
    );
    expect(refusalOf(() => readUkiParts({ ...OPTIONS, linux: null }, kernel)).join("\n")).toContain(
      "/boot/vmlinuz-6.1: no file",
    );
  });

  test("a stub that has the sections already, or no room for more", async () => {
    const image = readFileSync(await build({}));
    expect(refusalOf(() => appendSections(image, [{ name: ".linux", data: image }], "it")).join("\n")).toContain(
      "it has a section .linux already",
    );
    const many = [..."abcdefgh"].map((letter) => ({ name: `.${letter}`, data: Buffer.from(letter) }));
    expect(refusalOf(() => appendSections(readFileSync(STUB), many, "it")).join("\n")).toContain("room for 7 more");
  });

  test("options without --uki, and a key without its certificate", async () => {
    const { status, stderr } = await desk("image", "--cmdline", "quiet");
    expect([status, stderr]).toEqual([2, expect.stringContaining("Option '--cmdline' needs --uki")]);
    expect(refusalOf(() => parseSigningKey("db.key", "/")).join("\n")).toContain("expected KEY:CERT");
  });
});

test("an AArch64 kernel is joined with the stub of its architecture only", async () => {
  const { vmlinuz, version } = await debianKernel("cloud", "aarch64");
  const uki = { ...OPTIONS, linux: vmlinuz, stub: join(await armEfiPrograms(), EFI_NAMES.aarch64.stub) };
  const parts = readUkiParts(uki, null);
  expect(parts.version).toBe(version);
  const image = Buffer.concat(parts.join(rawCpio([{ name: "init", data: "" }])));
  const read = readUki(image);
  expect([readPe(image)?.machine, read?.summary.uname]).toEqual([0xaa64, version]);
  expect(Buffer.from(read?.linux ?? []).equals(readFileSync(vmlinuz))).toBe(true);
  expect(refusalOf(() => readUkiParts({ ...uki, stub: STUB }, null)).join("\n")).toContain(
    "is for another architecture",
  );
  const foreign = refusalOf(() => readUkiParts({ ...uki, stub: null }, null)).join("\n");
  expect(foreign).toContain("/usr/lib/systemd/boot/efi/linuxaa64.efi.stub");
  const packed = file("vmlinuz.gz", gzipSync(readFileSync(vmlinuz), { level: 1 }));
  expect(refusalOf(() => readUkiParts({ ...uki, linux: packed }, null)).join("\n")).toContain("compressed as a whole");
});

test("the command line is read from a file, its lines joined", () => {
  const path = file("cmdline", "root=LABEL=ROOT\nquiet  \n");
  expect(readUkiParts({ ...OPTIONS, cmdline: `@${path}` }, null).cmdline).toBe("root=LABEL=ROOT quiet");
});

test("a signed image is what sbverify accepts, and no other", async () => {
  const [key, certificate] = [join(directory, "db.key"), join(directory, "db.crt")];
  const request = ["-newkey", "rsa:2048", "-nodes", "-x509", "-subj", "/CN=levain test/", "-days", "9"];
  await run(["openssl", "req", ...request, "-keyout", key, "-out", certificate]);
  const signed = await build({ sign: { key, certificate } }, "signed.efi");
  expect(await run(["sbverify", "--cert", certificate, signed])).toContain("Signature verification OK");
  expect((await desk("inspect", signed)).stdout).toContain("signature signed for Secure Boot");
  const changed = readFileSync(signed);
  changed.write("rw", changed.indexOf("quiet"));
  await expect(run(["sbverify", "--cert", certificate, file("changed.efi", changed)])).rejects.toThrow();
});
