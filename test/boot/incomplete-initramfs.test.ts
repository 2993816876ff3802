import { expect, test } from "bun:test";
import { fakeBoot } from "../support/fake-boot.ts";

/** A boot without its disk; the kernel has logged this about the initramfs before. */
function consoleAfter(...kernelLog: readonly string[]): string {
  return fakeBoot({
    cmdline: "root=LABEL=ROOT rd.timeout=1",
    before: (machine) => {
      for (const text of kernelLog) machine.say(text);
    },
  }).console.replaceAll(/\s+/g, " ");
}

test("an initramfs that did not fit into memory is reported as the reason", () => {
  const console = consoleAfter("Trying to unpack rootfs image", "Initramfs unpacking failed: write error");
  expect(console).toContain('no device with label "ROOT" appeared');
  expect(console).toContain("the initramfs did not fit into memory");
  expect(console).toContain("hint: give the machine more memory");
});

test("and so is a damaged one", () => {
  const console = consoleAfter("Initramfs unpacking failed: ZSTD-compressed data is corrupt");
  expect(console).toContain("the kernel could not unpack all of the initramfs");
  expect(console).toContain("seen: kernel: Initramfs unpacking failed: ZSTD-compressed data is corrupt");
});

test("a complete one is not mentioned", () => {
  expect(consoleAfter("Trying to unpack rootfs image")).not.toContain("the initramfs did not fit");
});
