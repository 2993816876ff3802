import { expect, test } from "bun:test";
import { contentOfBytes } from "../../../build/content.ts";
import type { ImageOptions, ImageSummary } from "../../../build/image.ts";
import { estimateMemory } from "../../../build/memory.ts";
import { summarize } from "../../../build/summary.ts";
import { createDeskVoice } from "../../../build/voice.ts";

const MIB = 1 << 20;

const summary: ImageSummary = {
  output: "/boot/initramfs-6.1.img",
  kernel: { version: "6.1", modulesDir: "/lib/modules/6.1" },
  moduleCount: 278,
  entryCount: 373,
  unpackedBytes: 136.6 * MIB,
  imageBytes: 51.5 * MIB,
  memoryBytes: 384 * MIB,
};
const options = { compression: { method: "zstd", level: 9 } } as ImageOptions;

test("the summary says what was made", () => {
  expect(summarize(summary, options, 2640)).toEqual([
    "/boot/initramfs-6.1.img",
    "  kernel   6.1, 278 modules",
    "  content  373 entries, 136.6 MiB unpacked",
    "  size     51.5 MiB, zstd:9, in 2.6 s",
    "  memory   needs about 384 MiB to boot",
  ]);
});

test("and says so where there are no modules, or no compression", () => {
  const lines = summarize({ ...summary, kernel: null }, { ...options, compression: { method: "none", level: 0 } }, 100);
  expect(lines[1]).toContain("there are no modules");
  expect(lines[3]).toContain("not compressed");
});

test("the memory needed is twice the unpacked size and more, in steps of 32 MiB", () => {
  const entry = {
    kind: "file",
    path: "/a",
    mode: 0o644,
    content: { ...contentOfBytes(""), size: 100 * MIB + 1 },
  } as const;
  const needed = estimateMemory([entry], 50 * MIB);
  expect(needed).toBeGreaterThan(250 * MIB);
  expect(needed % (32 * MIB)).toBe(0);
  // Another name of the same file takes no more.
  expect(estimateMemory([entry, { ...entry, path: "/b" }], 50 * MIB)).toBe(needed);
});

/** A terminal that keeps what is written, and a clock that is moved by hand. */
function listen(isTTY: boolean) {
  let written = "";
  let nowMs = 0;
  const voice = createDeskVoice({ isTTY, write: (text: string) => (written += text) }, () => nowMs);
  return {
    voice,
    wait: (ms: number) => {
      nowMs += ms;
    },
    written: () => written,
  };
}

test("progress is shown on a terminal, after a second, on one line that a warning and the end clear", () => {
  const { voice, wait, written } = listen(true);
  voice.progress("packing: 1 %");
  expect(written()).toBe("");
  wait(1500);
  voice.progress("packing: 50 %");
  voice.progress("packing: 50 %");
  voice.warn("no firmware");
  voice.progress("packing: 60 %");
  voice.close();
  expect(written()).toBe("\r\u001b[Kpacking: 50 %\r\u001b[Kwarning: no firmware\n\r\u001b[Kpacking: 60 %\r\u001b[K");
});

test("a file or pipe gets warnings only", () => {
  const { voice, wait, written } = listen(false);
  wait(5000);
  voice.progress("packing: 1 %");
  voice.warn("no firmware");
  voice.close();
  expect(written()).toBe("warning: no firmware\n");
});
