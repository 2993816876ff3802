import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSegments } from "../../../../src/desk/inspect/segments.ts";
import { parseSizeLimit, usualLimit } from "../../../../src/desk/inspect/streams/size-limit.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { cached, recipeKey, scratchDirectory } from "../../../support/cache.ts";
import { runScript } from "../../../support/command.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";
import { levain } from "../../../support/desk-command.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

// An idle command takes 40 to 60 MiB, and 64 MiB are what a small image may unpack to, twice while they are joined.
const PEAK_MIB = 240;
const BOMB_BYTES = 200 << 20;
const TIMEOUT_MS = 120_000;

function imageFile(bytes: Uint8Array): string {
  const file = join(scratchDirectory(), "initrd.img");
  writeFileSync(file, bytes);
  return file;
}

/** A file of zeros in an archive, through a tool of the host; made once per cache. */
async function bomb(tool: string, bytes = BOMB_BYTES): Promise<string> {
  const directory = await cached("bombs", recipeKey(tool, bytes), async (target) => {
    const header = imageFile(rawCpio([{ name: "zeros", size: bytes }]).subarray(0, 116));
    const script = `{ cat "$1"; head -c "$2" /dev/zero; } | ${tool} > "$3"`;
    await runScript(script, [header, `${bytes}`, join(target, "bomb")]);
  });
  return join(directory, "bomb");
}

describe("a bomb", () => {
  test.each([
    ["zstd", "zstd -q -c"],
    ["gzip", "gzip -c"],
    ["xz", "xz -0 -c --check=crc32"],
    ["lzma", "xz -0 -c --format=lzma"],
    ["bzip2", "bzip2 -c"],
    ["lz4 frame", "lz4 -c -q"],
  ])(
    "of %s is refused before it takes the memory",
    async (_name, tool) => {
      const file = await bomb(tool);
      expect(statSync(file).size).toBeLessThan(4 << 20);
      const { status, stderr, peakMib } = levain(["inspect", file]);
      expect(stderr).toMatch(/bomb unpacks to more than /);
      expect(stderr).toContain("allow more with --max-size SIZE");
      expect(status).toBe(1);
      expect(peakMib).toBeLessThan(PEAK_MIB);
    },
    TIMEOUT_MS,
  );

  test(
    "is refused by extract and graft, too, which leave nothing behind",
    async () => {
      const file = await bomb("zstd -q -c");
      const target = join(scratchDirectory(), "tree");
      for (const argv of [
        ["extract", file, target],
        ["graft", file, "--init", BUSYBOX, "--output", target],
      ]) {
        const { status, stderr, peakMib } = levain(argv);
        expect([status, stderr]).toEqual([1, expect.stringContaining("unpacks to more than 64 MiB")]);
        expect(peakMib).toBeLessThan(PEAK_MIB);
        expect(existsSync(target)).toBe(false);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "in several segments is counted together",
    async () => {
      const file = await bomb("zstd -q -c", 33 << 20);
      const half = readFileSync(file);
      const { status, stderr } = await desk("inspect", imageFile(Buffer.concat([half, half])));
      expect([status, stderr]).toEqual([1, expect.stringContaining("unpacks to more than 64 MiB")]);
      expect((await desk("inspect", file)).stdout).toContain("33 MiB in files");
    },
    TIMEOUT_MS,
  );

  test(
    "is unpacked if --max-size allows it, and a real image is not if it forbids it",
    async () => {
      const file = await bomb("zstd -q -c", 66 << 20);
      expect((await desk("inspect", file)).stderr).toContain("unpacks to more than 64 MiB");
      expect((await desk("inspect", "--max-size", "67M", file)).stdout).toContain("66 MiB in files");
      const small = imageFile(rawCpio([{ name: "init", data: "x".repeat(5000) }]));
      expect((await desk("inspect", "--max-size", "4096", small)).stderr).toContain("unpacks to more than 4 KiB");
      expect((await desk("inspect", "--max-size", "many", small)).stderr).toContain("expected a size for --max-size");
    },
    TIMEOUT_MS,
  );

  test(
    "of members instead of bytes is refused",
    async () => {
      const trailer = rawCpio([]);
      const member = rawCpio([{ name: "f" }]).subarray(0, -trailer.length);
      const [members, trailers] = [member, trailer].map((one) =>
        imageFile(Bun.zstdCompressSync(Buffer.alloc(70_000 * one.length, one))),
      );
      const { stderr, peakMib } = levain(["inspect", members ?? ""]);
      expect(stderr).toContain("unpacks to more than 64 MiB");
      expect(peakMib).toBeLessThan(PEAK_MIB);
      expect((await desk("inspect", trailers ?? "")).stderr).toContain("unpacks to more than 64 MiB");
    },
    TIMEOUT_MS,
  );

  test(
    "of blocks that hold a byte each takes no room for eight million",
    () => {
      const header = Buffer.from("02214c18", "hex");
      const blocks = Buffer.from(Array.from({ length: 60_000 }, () => "020000001000").join(""), "hex");
      const { stdout, stderr, peakMib } = levain(["inspect", imageFile(Buffer.concat([header, blocks]))]);
      expect([stdout, stderr]).toEqual([expect.stringContaining("lz4"), ""]);
      expect(peakMib).toBeLessThan(PEAK_MIB);
    },
    TIMEOUT_MS,
  );

  test(
    "of empty streams is no endless work",
    () => {
      const empty = Bun.spawnSync(["xz", "-c", "--check=crc32"], { stdin: new Uint8Array() }).stdout;
      const image = Buffer.concat([rawCpio([{ name: "init" }]), ...Array.from({ length: 1100 }, () => empty)]);
      expect(readSegments(image).problem?.message).toBe("the file has more than 1000 segments");
    },
    TIMEOUT_MS,
  );
});

describe("a zstd frame", () => {
  const frame = (window: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window, 0x09, 0, 0, 0x41]);

  test("whose window is larger than the kernel's is refused by its header", () => {
    const message = (window: number) => readSegments(frame(window)).problem?.message ?? "";
    expect(message(0x8f)).toContain("its window exceeds the kernel's limit of 128 MiB"); // 240 MiB
    expect(message(0xff)).toContain("its window exceeds the kernel's limit of 128 MiB"); // 3.75 TiB
    expect(message(0x88)).not.toContain("window"); // 128 MiB
  });
});

describe("limits", () => {
  test("follow the size of the file, between 64 MiB and 2 GiB", () => {
    const mib = 1 << 20;
    expect([1, mib, 10 * mib, 100 * mib].map((bytes) => usualLimit(bytes) / mib)).toEqual([64, 64, 640, 2048]);
  });

  test("are read with K, M and G", () => {
    expect(["1", "2K", "3M", "1g", "5MiB", "2MB"].map(parseSizeLimit)).toEqual([
      1, 2048, 3145728, 1073741824, 5242880, 2097152,
    ]);
    expect(parseSizeLimit("999G")).toBe(0xffff_ffff);
    for (const wrong of ["0", "-1", "1T", "K", "1.5G", "1 G", "9".repeat(30), ""]) {
      expect(() => parseSizeLimit(wrong)).toThrow(BootError);
    }
  });
});
