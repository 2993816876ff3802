import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCompression } from "../../../../src/desk/archive/compress.ts";
import { contentOfBytes, contentOfFile } from "../../../../src/desk/archive/content.ts";
import { layOutImage, measureArchives, writeArchives } from "../../../../src/desk/archive/layout.ts";
import { writeWhole } from "../../../../src/desk/archive/output.ts";
import { type ImageTree, putEntry, sortEntries } from "../../../../src/desk/archive/tree.ts";
import { readSegments } from "../../../../src/desk/inspect/segments.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { listenToVoice } from "../heard-voice.ts";

function entriesOf(init: string, modules: readonly string[] = []) {
  const tree: ImageTree = new Map();
  for (const [path, text] of [
    ["/bin/busybox", "shell".repeat(1000)],
    ["/etc/passwd", "root"],
    ["/etc/levain.json", "{}"],
    ["/etc/levain.keys", "/key\0"],
    ["/etc/levain.cmdline", "rdshell=0\n"],
    ["/init", init],
  ] as const)
    putEntry(tree, { kind: "file", path, mode: 0o644, content: contentOfBytes(text) });
  const content = contentOfBytes("module".repeat(1000));
  for (const path of modules) putEntry(tree, { kind: "file", path, mode: 0o644, content });
  return sortEntries(tree);
}

const FIRST = ["init", "etc", "etc/levain.cmdline", "etc/levain.keys", "etc/levain.json"];
const REST = ["bin", "bin/busybox", "etc/passwd"];

async function segmentsOf(
  method: string,
  isInitCompressed: boolean,
  init = "program",
  modules: readonly string[] = [],
) {
  const archives = layOutImage(entriesOf(init, modules), parseCompression(method), isInitCompressed);
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeArchives(archives, listenToVoice())) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const { segments, problem } = readSegments(bytes);
  expect(problem).toBeNull();
  expect(segments.flatMap(({ problems }) => problems)).toEqual([]);
  // So that another archive can be appended.
  expect(bytes.length % 4).toBe(0);
  return { segments, bytes, archives };
}

const namesOf = ({ archives }: Awaited<ReturnType<typeof segmentsOf>>["segments"][number]) =>
  archives.flatMap(({ members }) => members.map(({ name }) => name));

test.each(["zstd", "gzip", "lz4", "xz:0"])(
  "a compressed /init is stored first, with its policy; all else is one compressed archive, %s",
  async (method) => {
    for (const init of ["program", "program of another size."]) {
      const { segments, bytes, archives } = await segmentsOf(method, true, init);
      expect(segments.map(({ compression }) => compression)).toEqual(["none", method.split(":")[0] ?? ""]);
      expect(segments.map(namesOf)).toEqual([FIRST, REST]);
      // do_reset() of init/initramfs.c: "broken padding" otherwise.
      expect((segments[1]?.offset ?? 1) % 4).toBe(0);
      expect(bytes.includes(init)).toBe(true);
      expect(measureArchives(archives)).toBeGreaterThan(5000);
    }
  },
);

test("modules that are compressed already are stored behind the policy, with all names of such a file", async () => {
  const { segments } = await segmentsOf("zstd", true, "program", ["/lib/modules/6.1/a.ko.gz", "/a"]);
  const stored = ["a", "bin", "lib", "lib/modules", "lib/modules/6.1", "lib/modules/6.1/a.ko.gz"];
  expect(segments.map(namesOf)).toEqual([
    [...FIRST, ...stored],
    ["bin/busybox", "etc/passwd"],
  ]);
  const plain = await segmentsOf("zstd", true, "program", ["/lib/modules/6.1/a.ko", "/a.ko.gz"]);
  expect(plain.segments[0] && namesOf(plain.segments[0])).toEqual(FIRST);
});

test("a plain /init is compressed with all else, and without compression there is one archive", async () => {
  for (const [method, isInitCompressed] of [
    ["zstd", false],
    ["none", true],
    ["none", false],
  ] as const) {
    const { segments } = await segmentsOf(method, isInitCompressed);
    expect(segments.map(namesOf)).toEqual([[...FIRST, ...REST]]);
  }
});

test.each(["none", "zstd"])(
  "an /init inside another file is written as it is there, piece by piece, %s",
  async (method) => {
    const init = randomBytes(5 << 19);
    const [source, image] = [join(scratchDirectory(), "source"), join(scratchDirectory(), `image-${method}`)];
    writeFileSync(source, Buffer.concat([randomBytes(1000), init, randomBytes(1000)]));
    const entries = entriesOf("");
    const content = contentOfFile(source, init.length, 1000);
    const archives = layOutImage(
      entries.map((entry) => (entry.path === "/init" ? { kind: "file", path: "/init", mode: 0o755, content } : entry)),
      parseCompression(method),
      true,
    );
    await writeWhole(image, writeArchives(archives, listenToVoice()));
    const [segment] = readSegments(readFileSync(image)).segments;
    const members = segment?.archives.flatMap((archive) => archive.members) ?? [];
    expect(Buffer.from(members.find(({ name }) => name === "init")?.data ?? []).equals(init)).toBe(true);
  },
);
