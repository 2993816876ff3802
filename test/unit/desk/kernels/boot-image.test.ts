import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBootImage } from "../../../../src/desk/kernels/boot-image.ts";
import { compareReleases } from "../../../../src/desk/kernels/compare-releases.ts";
import { findKernelFile } from "../../../../src/desk/kernels/kernel-file.ts";
import { readBzImageRelease, SETUP_BYTES } from "../../../../src/formats/kernels/bzimage.ts";
import { readPe } from "../../../../src/formats/kernels/pe.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";
import { STUB } from "../../../support/efi-kernel.ts";
import { fakeMachine } from "../../../support/fake-machine.ts";
import { debianKernel } from "../../../support/kernels.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { bzImage } from "../doctor/scene.ts";

const initrd = rawCpio([{ name: "readme", data: "initramfs" }]);

/** A unified kernel image as objcopy makes it of systemd's stub. */
async function unifiedImage(): Promise<Uint8Array> {
  const directory = scratchDirectory();
  const parts = { osrel: "ID=test\n", uname: "6.1.0-test", cmdline: "root=LABEL=A ro\n\0", linux: "kernel", initrd };
  const words = Object.entries(parts).flatMap(([name, content], index) => {
    const file = join(directory, name);
    writeFileSync(file, content);
    const address = `0x${(0x20000 + index * 0x10000).toString(16)}`;
    return ["--add-section", `.${name}=${file}`, "--change-section-vma", `.${name}=${address}`];
  });
  const output = join(directory, "linux.efi");
  await run(["objcopy", ...words, STUB, output]);
  return readFileSync(output);
}

test("a unified kernel image has a kernel, an initramfs, a command line and a release", async () => {
  const bytes = await unifiedImage();
  const machine = fakeMachine({ files: { "/linux.efi": bytes } });
  const { unified, initrd: found, inspection } = readBootImage(machine, ["/linux.efi"]);
  expect(unified).toMatchObject({ cmdline: "root=LABEL=A ro", release: "6.1.0-test" });
  expect(new TextDecoder().decode(unified?.linux)).toBe("kernel");
  expect(Buffer.from(found).equals(initrd)).toBe(true);
  expect(inspection.tree.root.children.has("readme")).toBe(true);
  for (const length of [0, 1, 0x3f, 0x100, 0x200, bytes.length - initrd.length - 0x1000])
    expect(() => readPe(bytes.subarray(0, length))).not.toThrow();
});

test("an image that this user may not read is refused with the boot entry that loads it", () => {
  const refuse = () => {
    throw new SyscallError("open", "EACCES", "/initrd.img");
  };
  const machine = { ...fakeMachine({ files: { "/initrd.img": "" } }), readFile: refuse };
  const parts = { loader: "GRUB", kernel: null, initrds: [], cmdline: "", isDefault: true };
  const entry = { ...parts, title: "My\nOS", config: "/boot/grub/grub.cfg" };
  expect(refusalOf(() => readBootImage(machine, ["/initrd.img"], entry))).toEqual([
    "cannot read /initrd.img",
    "  /initrd.img: permission denied (EACCES)",
    'seen: the boot entry "My\\x0aOS" in /boot/grub/grub.cfg loads it',
    "hint: run this as root",
  ]);
});

test("files that a boot loader loads together are one image", () => {
  const odd = Buffer.concat([rawCpio([{ name: "first", data: "1" }]), Buffer.alloc(2)]);
  const machine = fakeMachine({ files: { "/a": odd, "/b": initrd } });
  const { inspection } = readBootImage(machine, ["/a", "/b"]);
  expect([...inspection.tree.root.children.keys()].sort()).toEqual(["first", "readme"]);
  expect(inspection.segments.flatMap(({ problems }) => problems)).toEqual([]);
});

test("the release of Debian's kernel is in its file, and a kernel is found by it under any name", async () => {
  const { vmlinuz, vmlinux, version } = await debianKernel("cloud");
  expect(readBzImageRelease(readFileSync(vmlinuz).subarray(0, SETUP_BYTES))).toBe(version);
  expect(readBzImageRelease(readFileSync(vmlinux).subarray(0, SETUP_BYTES))).toBeNull();
  const files = {
    "/boot/vmlinuz-6.1.0-1-amd64": "kernel",
    "/lib/modules/6.2.0/vmlinuz": "kernel",
    "/boot/vmlinuz-linux": bzImage("6.9.1-arch1-1"),
    "/a tree/boot/vmlinuz-lts": bzImage("6.6.1-0-lts"),
  };
  const machine = fakeMachine({ files });
  const find = (release: string) => findKernelFile(machine, release);
  expect(find("6.1.0-1-amd64")).toBe("/boot/vmlinuz-6.1.0-1-amd64");
  expect(find("6.2.0")).toBe("/lib/modules/6.2.0/vmlinuz");
  expect(find("6.9.1-arch1-1")).toBe("/boot/vmlinuz-linux");
  expect(find("6.9.2")).toBeNull();
  expect(findKernelFile(machine, "6.6.1-0-lts", "/a tree")).toBe("/a tree/boot/vmlinuz-lts");
  expect(findKernelFile(machine, "6.2.0", "/a tree")).toBeNull();
});

test("releases are compared by their numbers", () => {
  const sorted = ["6.1.0-9-amd64", "6.1.0-10-amd64", "6.1.0-10-rt", "6.12", "10.0"];
  expect([...sorted].reverse().sort(compareReleases)).toEqual(sorted);
});
