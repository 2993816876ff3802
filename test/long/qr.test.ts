import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import jsQR from "jsqr";
import { scratchDirectory } from "../support/cache.ts";
import { filesImage } from "../support/disk-images.ts";
import { debianKernel } from "../support/kernels.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { levainImage } from "../support/levain-image.ts";
import { vmTest } from "../support/vm-test.ts";

const OVMF = "/usr/share/ovmf/OVMF.fd";
const WORDS =
  "console=tty0 console=ttyS0,115200 root=LABEL=WRONG rd.timeout=1 quiet rd.help.url=https://docs.example/errors#";

/** Reads the QR code in a picture of the format PPM, as QEMU writes it; null if there is none. */
function readPicture(file: string): string | null {
  const bytes = readFileSync(file);
  const [head = "", width = "", height = ""] =
    /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString("latin1")) ?? [];
  const pixels = new Uint8ClampedArray(Number(width) * Number(height) * 4).fill(255);
  for (let at = head.length, to = 0; at < bytes.length; at += 3, to += 4) pixels.set(bytes.subarray(at, at + 3), to);
  return jsQR(pixels, Number(width), Number(height))?.data ?? null;
}

vmTest(
  "the screen of a machine shows the address of the failure as a QR code",
  async () => {
    const { vmlinuz } = await debianKernel("full");
    const uki = await levainImage({ kernel: "full", words: ["--uki", "--linux", vmlinuz, "--cmdline", WORDS] });
    return {
      kernel: null,
      disks: [{ file: await filesImage("vfat", { "/EFI/BOOT/BOOTX64.EFI": uki }) }],
      extra: ["-bios", OVMF, "-device", "VGA"],
      memoryMib: 1024,
      timeoutMs: 400_000,
    };
  },
  async (vm) => {
    await vm.expect("could not find the root device", 300_000);
    await vm.expect(PROMPT);
    // The serial line says nothing about the screen, which is drawn by another process.
    const file = join(scratchDirectory(), "screen.ppm");
    let seen: string | null = null;
    for (let turn = 0; seen === null && turn < 20; turn++) {
      await vm.pause(1000);
      await vm.monitor("screendump", { filename: file });
      seen = readPicture(file);
    }
    expect(seen).toBe("https://docs.example/errors#device-not-found");
  },
);
