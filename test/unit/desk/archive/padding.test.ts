import { expect, test } from "bun:test";
import { compress, parseCompression } from "../../../../src/desk/archive/compress.ts";
import { padImage } from "../../../../src/desk/archive/padding.ts";
import { readSegments } from "../../../../src/desk/inspect/segments.ts";
import { rawCpio } from "../../../support/crafted-cpio.ts";

const MORE = rawCpio([{ name: "more", data: "x" }]);

async function imageOf(method: string, length: number): Promise<Buffer> {
  const compression = parseCompression(method);
  const archive = rawCpio([
    { name: "first", data: Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString("hex") },
  ]);
  const pieces: Uint8Array[] = [];
  for await (const piece of padImage(compress([archive], compression), compression.method)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test.each(["zstd:1", "gzip", "lz4:1", "xz:0", "none"])("what is appended to an image is read, %s", async (method) => {
  // Lengths that end differently.
  for (let length = 100; length < 112; length += 1) {
    const image = await imageOf(method, length);
    expect(image.length % 4).toBe(0);
    for (const more of [MORE, await imageOf("gzip", 10), await imageOf("lz4:1", 10)]) {
      const { segments, problem } = readSegments(Buffer.concat([image, more]));
      expect(problem).toBeNull();
      expect(segments.flatMap((segment) => segment.problems)).toEqual([]);
      const names = segments.flatMap(({ archives }) =>
        archives.flatMap(({ members }) => members.map(({ name }) => name)),
      );
      expect(names).toEqual(["first", more === MORE ? "more" : "first"]);
    }
  }
});
