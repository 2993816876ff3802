import { beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { readSegments, type Segment } from "../../../../src/desk/inspect/segments.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";

const TEXT = "all work and no play ".repeat(20_000);
const EARLY = rawCpio([{ name: "kernel", mode: 0o040755 }]);
const MAIN = rawCpio([
  { name: "init", data: TEXT },
  { name: "etc", mode: 0o040755 },
]);

const TRAILER_BYTES = rawCpio([]).length;

/** What a tool of the host makes of these bytes. */
function packed(argv: readonly [string, ...string[]], bytes: Uint8Array = MAIN): Buffer {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { stdin: bytes });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  return Buffer.from(stdout);
}

const TOOLS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  gzip: ["gzip", "-c"],
  zstd: ["zstd", "-c", "-q"],
  xz: ["xz", "-c", "--check=crc32"],
  lz4: ["lz4", "-l", "-c", "-q"],
  bzip2: ["bzip2", "-c"],
  lzma: ["xz", "-c", "--format=lzma"],
  lzo: ["lzop", "-c"],
};

const names = ({ archives }: Segment) => archives.flatMap(({ members }) => members.map(({ name }) => name));
const problems = (bytes: Uint8Array) => {
  const { segments, problem } = readSegments(bytes);
  return [...segments.flatMap((segment) => segment.problems), ...(problem === null ? [] : [problem.message])];
};

describe("a compressed image", () => {
  test.each(Object.keys(TOOLS))("of %s is named and unpacked", (method) => {
    const bytes = packed(TOOLS[method] ?? ["false"]);
    const { segments, problem } = readSegments(bytes);
    expect(problem).toBeNull();
    expect(segments).toHaveLength(1);
    const [segment] = segments;
    expect(segment).toMatchObject({ compression: method, offset: 0, size: bytes.length, problems: [] });
    expect(segment?.unpackedSize).toBe(MAIN.length);
    expect(Buffer.from(segment?.archives[0]?.members[0]?.data ?? []).toString()).toBe(TEXT);
  });

  test.each(["gzip", "zstd", "xz", "lz4"])("of %s ends where its data does", (method) => {
    const body = packed(TOOLS[method] ?? ["false"]);
    const image = Buffer.concat([EARLY, Buffer.alloc(512), body, Buffer.alloc(7), zstdCompressSync(EARLY)]);
    const { segments, problem } = readSegments(image);
    expect(problem).toBeNull();
    expect(segments.map(({ compression }) => compression)).toEqual(["none", method, "zstd"]);
    expect(segments[1]).toMatchObject({ offset: EARLY.length + 512, size: body.length, problems: [] });
    expect(segments.map(names)).toEqual([["kernel"], ["init", "etc"], ["kernel"]]);
  });

  test("of Bun's own zstd and gzip, with names and sizes in every header", () => {
    for (const length of [0, 1, 255, 256, 70_000, 200_000]) {
      const cpio = rawCpio([{ name: "f", data: "x".repeat(length) }]);
      for (const bytes of [zstdCompressSync(cpio), gzipSync(cpio), packed(["gzip", "-c", "-N"], cpio)])
        expect(problems(bytes)).toEqual([]);
    }
  });

  test("that the kernel would not read is said to be so", () => {
    expect(problems(packed(["xz", "-c", "--check=crc64"]))[0]).toContain("CRC32");
    expect(problems(packed(["lz4", "-c", "-q"]))[0]).toContain("legacy");
  });

  test("and an archive behind it that the kernel would not reach: it says why, and what to put there", () => {
    const lz4 = packed(["lz4", "-l", "-c", "-q"]);
    expect(problems(Buffer.concat([lz4, EARLY]))[0]).toContain(`at byte ${lz4.length}: put four zero bytes there`);
    expect(problems(Buffer.concat([lz4, Buffer.alloc(4 + (-lz4.length & 3)), EARLY]))).toEqual([]);
    const gzip = gzipSync(MAIN);
    const padding = -gzip.length & 3;
    for (const [zeros, lacking] of [
      [padding + 1, "3 zero bytes"],
      [padding + 3, "1 zero byte"],
    ] as const) {
      expect(problems(Buffer.concat([gzip, Buffer.alloc(zeros), EARLY]))[0]).toBe(
        `the kernel reads an uncompressed archive only at a multiple of 4 bytes, and it begins at byte ${gzip.length + zeros}: put ${lacking} before it`,
      );
    }
  });

  test("that unpacks to more than the limit is refused", () => {
    for (const method of Object.keys(TOOLS)) {
      const { segments, problem } = readSegments(packed(TOOLS[method] ?? ["false"]), 1000);
      expect([method, segments.length, problem?.message]).toEqual([method, 0, expect.stringContaining("1000")]);
    }
  });
});

describe("archives", () => {
  test("several in one compressed segment", () => {
    const { segments } = readSegments(gzipSync(Buffer.concat([EARLY, Buffer.alloc(8), MAIN])));
    expect(segments[0]?.archives.map(({ offset }) => offset)).toEqual([0, EARLY.length + 8]);
  });

  test("crc archives have their sums checked", () => {
    const sum = [..."abc"].reduce((total, letter) => total + letter.charCodeAt(0), 0);
    const good = rawCpio([{ name: "f", data: "abc", checksum: sum }], "070702");
    expect(readSegments(good).segments[0]?.archives[0]?.format).toBe("crc");
    expect(problems(good)).toEqual([]);
    expect(problems(rawCpio([{ name: "f", data: "abc", checksum: sum + 1 }], "070702"))).toEqual([
      "the checksum of f is wrong",
    ]);
  });

  test("one that is cut off gives what is there", () => {
    const { segments } = readSegments(MAIN.subarray(0, MAIN.length - TRAILER_BYTES));
    expect(segments.map(names)).toEqual([["init", "etc"]]);
    expect(segments[0]?.problems[0]).toContain("without a trailer");
  });

  test("a compressed stream of nothing is no more than padding", () => {
    const empty = zstdCompressSync(new Uint8Array());
    expect(readSegments(Buffer.concat([gzipSync(MAIN), empty])).segments.map(names)).toEqual([["init", "etc"]]);
    expect(problems(empty)).toEqual(["the file contains no archive"]);
  });

  test("other formats and anything else are named", () => {
    expect(problems(Buffer.from("070707".padEnd(200, "0")))[0]).toContain("at byte 0 has an old format");
    expect(problems(Buffer.concat([EARLY, Buffer.from("junk")]))[0]).toContain(
      `compressed data at byte ${EARLY.length}`,
    );
    expect(problems(gzipSync(Buffer.from("junk")))[0]).toContain("in the unpacked data: neither");
    expect(problems(Buffer.alloc(512))).toEqual(["the file contains no archive"]);
    expect(problems(new Uint8Array())).toHaveLength(1);
  });
});

describe("crafted images", () => {
  let images: readonly Buffer[] = [];
  beforeAll(() => {
    const small = rawCpio([{ name: "f", data: "abcdefgh".repeat(30) }]);
    const bodies = ["gzip", "zstd", "lz4", "xz"].map((method) => packed(TOOLS[method] ?? ["false"], small));
    images = [small, ...bodies.map((body) => Buffer.concat([EARLY, body, Buffer.alloc(4), small]))];
  });

  test("that are cut off never throw, and are never taken for whole", () => {
    for (const image of images.slice(0, 4)) {
      const whole = readSegments(image).segments.flatMap(names).length;
      for (let length = 1; length < image.length; length += 3) {
        const part = image.subarray(0, length);
        const found = readSegments(part);
        const isWhole = found.problem === null && found.segments.every((segment) => segment.problems.length === 0);
        expect(isWhole && found.segments.flatMap(names).length > whole).toBe(false);
      }
    }
  });

  test("with a changed byte give segments or a problem, and nothing else", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(), fc.nat(255), (which, at, value) => {
        const changed = Buffer.from(images[which] ?? []);
        changed[at % changed.length] = value;
        const { segments } = readSegments(changed, 1 << 20);
        for (const { offset, size } of segments) expect(offset + size).toBeLessThanOrEqual(changed.length);
      }),
      { numRuns: 400 },
    );
  });

  test("of random bytes behind each magic are refused", () => {
    const magics = ["1f8b0800", "28b52ffd", "02214c18", "fd377a585a00", "303730373031", "303730373032"];
    fc.assert(
      fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 300 }), (magic, rest) => {
        const bytes = Buffer.concat([Buffer.from(magic, "hex"), rest]);
        expect(problems(bytes).length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });

  test("with a wrong checksum, or a copy of nothing, are damaged", () => {
    const gzip = gzipSync(MAIN);
    gzip.writeUInt32LE(0, gzip.length - 8);
    expect(problems(gzip)[0]).toContain("its checksum is wrong");
    // One literal, and then a copy from 0, or from 2, bytes before.
    for (const distance of ["0000", "0200"]) {
      const lz4 = Buffer.from(`02214c18${"05000000"}10${"41"}${distance}00`, "hex");
      expect(problems(lz4)[0]).toContain("a copy starts before the block");
    }
  });

  test("with sizes that no file has are refused at once", () => {
    expect(problems(rawCpio([{ name: "f", size: 0xffffffff }]))[0]).toContain("the file is truncated");
    // A single segment of 2^64-1 bytes, and one last block that is empty.
    const huge = Buffer.from(`28b52ffde0${"ff".repeat(8)}010000`, "hex");
    expect(problems(huge)[0]).toContain("unpacks to more than 4294967295 bytes");
  });
});
