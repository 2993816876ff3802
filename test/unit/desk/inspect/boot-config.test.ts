import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBootConfig } from "../../../../src/desk/inspect/boot-config.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const ARCHIVE = rawCpio([{ name: "etc", mode: 0o040755 }]);

/** As tools/bootconfig appends it. */
function bootConfig(text: string, size = text.length): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(size, 0);
  numbers.writeUInt32LE(
    [...Buffer.from(text)].reduce((sum, byte) => sum + byte, 0),
    4,
  );
  return Buffer.concat([Buffer.from(text), numbers, Buffer.from("#BOOTCONFIG\n")]);
}

const TEXT = "kernel.quiet\n\0\0\0";
const IMAGE = Buffer.concat([ARCHIVE, bootConfig(TEXT)]);

describe("a boot configuration", () => {
  test("is found at the end, also before the padding of a boot loader", () => {
    const there = { offset: ARCHIVE.length, size: TEXT.length };
    for (const padding of [0, 1, 3]) {
      expect(findBootConfig(Buffer.concat([IMAGE, Buffer.alloc(padding)]))).toEqual(there);
    }
    expect(findBootConfig(Buffer.concat([IMAGE, Buffer.alloc(4)]))).toBeNull();
    expect(findBootConfig(IMAGE.subarray(-12))).toBeNull();
    expect(findBootConfig(bootConfig("", 1))).toBeNull();
    expect(findBootConfig(bootConfig(""))).toEqual({ offset: 0, size: 0 });
    expect(findBootConfig(new Uint8Array())).toBeNull();
  });

  test("is named by inspect, and is no fault", async () => {
    const file = join(scratchDirectory(), "image");
    writeFileSync(file, IMAGE);
    const { status, stdout } = await desk("inspect", file);
    expect(stdout).toContain("appended  a boot configuration of 16 bytes, which the kernel removes first");
    expect(stdout).not.toContain("problem");
    expect(status).toBe(0);
  });

  test("stays at the end of a grafted image, where the kernel looks for it", async () => {
    const file = join(scratchDirectory(), "image");
    writeFileSync(file, IMAGE);
    expect((await desk("graft", file, "--init", BUSYBOX)).status).toBe(0);
    const grafted = readFileSync(`${file}.levain`);
    expect(findBootConfig(grafted)).toEqual({ offset: grafted.length - 36, size: TEXT.length });
    expect((await desk("inspect", `${file}.levain`)).stdout).toContain("2 segments");
  });
});
