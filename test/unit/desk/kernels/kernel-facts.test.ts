import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { inspectBytes } from "../../../../src/desk/inspect/inspection.ts";
import { architectureOf, readKernelFacts } from "../../../../src/desk/kernels/kernel-facts.ts";
import { findKernelFile, readArchitecture, readRelease } from "../../../../src/desk/kernels/kernel-file.ts";
import { findEmbeddedConfig } from "../../../../src/desk/modules/embedded-config.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { debianKernel } from "../../../support/kernels.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { bzImage } from "../doctor/scene.ts";

const RELEASE = "6.12.9-arm";

/** An Image with these flags, and the text that the kernel logs first. */
function armImage(flags: number): Buffer {
  const image = Buffer.alloc(4096);
  image.write("MZ");
  image.writeUInt32LE(flags, 24);
  image.write("ARMd", 56);
  image.write(`Linux version %s (%s)\0Linux version ${RELEASE} (builder@host) #1 SMP`, 1024);
  const config = gzipSync("CONFIG_ARM64_16K_PAGES=y\n");
  Buffer.concat([Buffer.from("IKCFG_ST"), config, Buffer.from("IKCFG_ED")]).copy(image, 2048);
  return image;
}

/** The same as EFI zboot images have it (drivers/firmware/efi/libstub/zboot-header.S). */
function zboot(image: Uint8Array): Buffer {
  const head = Buffer.alloc(512);
  const payload = gzipSync(image);
  head.write("MZ\0\0zimg");
  head.writeUInt32LE(512, 8);
  head.writeUInt32LE(payload.length, 12);
  head.write("gzip\0", 24);
  head.writeUInt32LE(64, 60);
  head.write("PE\0\0", 64);
  head.writeUInt16LE(0xaa64, 68);
  return Buffer.concat([head, payload]);
}

describe("a kernel of AArch64", () => {
  test("says its page size by two bits of its header", () => {
    const sizes = [0, 2, 4, 6, 0b1010].map((flags) => readKernelFacts(armImage(flags))?.pageBytes);
    expect(sizes).toEqual([null, 4096, 16_384, 65_536, 4096]);
  });

  test("has its release and its configuration in the unpacked kernel, whether it is compressed or not", () => {
    const image = armImage(4);
    for (const file of [image, gzipSync(image), zboot(image)]) {
      expect(readKernelFacts(file)).toEqual({ architecture: "aarch64", release: RELEASE, pageBytes: 16_384 });
      expect(findEmbeddedConfig(file)).toBe("CONFIG_ARM64_16K_PAGES=y\n");
      const machine = fakeMachine({ files: { "/boot/vmlinuz-linux": file } });
      expect(findKernelFile(machine, RELEASE)).toBe("/boot/vmlinuz-linux");
    }
    expect([image, zboot(image)].map(architectureOf)).toEqual(["aarch64", "aarch64"]);
  });

  test("is named as a kernel by levain inspect", () => {
    for (const file of [armImage(2), zboot(armImage(2))]) {
      const refusal = refusalOf(() => inspectBytes("vmlinuz", file)).join("\n");
      expect(refusal).toContain("hint: this is a kernel; name the initramfs that the boot loader loads with it");
    }
  });

  test("that is cut off or damaged says nothing, and never throws", () => {
    const file = zboot(armImage(2));
    for (const length of [0, 5, 12, 60, 66, 511, 520, file.length - 9]) {
      const part = file.subarray(0, length);
      expect([readKernelFacts(part), findEmbeddedConfig(part)]).toEqual([null, null]);
    }
    expect(readKernelFacts(armImage(2).subarray(0, 1000))?.release).toBeNull();
  });

  test("is read as Debian has it", async () => {
    const { vmlinuz, version } = await debianKernel("cloud", "aarch64");
    expect(readKernelFacts(readFileSync(vmlinuz))).toEqual({
      architecture: "aarch64",
      release: version,
      pageBytes: 4096,
    });
  });
});

test("a kernel for x86 has 4 KiB pages and is no other's", () => {
  const file = Buffer.from(bzImage(RELEASE));
  expect(readKernelFacts(file)).toEqual({ architecture: "x86_64", release: RELEASE, pageBytes: 4096 });
  const machine = fakeMachine({ files: { "/a": file, "/b": "text" } });
  expect([readArchitecture(machine, "/a"), readArchitecture(machine, "/b"), readArchitecture(machine, "/c")]).toEqual([
    "x86_64",
    null,
    null,
  ]);
  expect([readRelease(machine, "/a"), readRelease(machine, "/b")]).toEqual([RELEASE, null]);
});
