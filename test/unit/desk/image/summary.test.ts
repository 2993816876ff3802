import { expect, test } from "bun:test";
import { contentOfBytes } from "../../../../src/desk/archive/content.ts";
import { estimateMemory } from "../../../../src/desk/archive/memory.ts";
import type { ImageEntry } from "../../../../src/desk/archive/tree.ts";
import type { ImageSummary } from "../../../../src/desk/image/image.ts";
import { summarize as listRows } from "../../../../src/desk/image/summary.ts";
import { formatReport } from "../../../../src/desk/report-rows.ts";
import { createTerminalVoice } from "../../../../src/desk/terminal-voice.ts";
import { NO_OPTIONS } from "./no-options.ts";

const MIB = 1 << 20;

const summary: ImageSummary = {
  output: "/boot/initramfs-6.1.img",
  kernel: { version: "6.1", modulesDir: "/lib/modules/6.1", config: () => null, hasModules: true },
  runtime: { kind: "paged", reason: null, warning: null },
  moduleCount: 278,
  modprobeDirs: ["/etc/modprobe.d"],
  lackingFirmware: [],
  uki: null,
  entryCount: 373,
  fallbacks: [],
  hasBusybox: true,
  asksPassword: false,
  unpackedBytes: 136.6 * MIB,
  imageBytes: 51.5 * MIB,
  memory: { withRoot: 320 * MIB, withoutRoot: 384 * MIB },
};
const options = { ...NO_OPTIONS, compression: { method: "zstd", level: 9 } } as const;

const summarize = (...args: Parameters<typeof listRows>) =>
  formatReport(args[0].output, listRows(...args), false).split("\n");

test("the summary says what was made, to a person and to a program", () => {
  expect(summarize(summary, options, 2640)).toEqual([
    "/boot/initramfs-6.1.img",
    "  kernel   6.1, 278 modules",
    "  modprobe as in /etc/modprobe.d",
    "  runtime  paged",
    "  content  373 entries, 136.6 MiB unpacked",
    "  size     51.5 MiB, zstd:9, in 2.6 s",
    "  memory   needs 320 MiB to boot, 384 MiB without root= on the command line",
  ]);
  expect(JSON.parse(formatReport(summary.output, listRows(summary, options, 2640), true))).toEqual({
    output: "/boot/initramfs-6.1.img",
    kernel: { version: "6.1", modules: 278, host: null },
    modprobe: ["/etc/modprobe.d"],
    uki: null,
    runtime: { kind: "paged", reason: null },
    firmware: [],
    content: { entries: 373, unpackedBytes: 136.6 * MIB },
    shell: true,
    password: false,
    fallback: [],
    size: { imageBytes: 51.5 * MIB, compression: "zstd:9", seconds: 2.64 },
    memory: { withRoot: 320 * MIB, withoutRoot: 384 * MIB },
  });
});

test("of a unified kernel image, it says what firmware and kernel will do with it", () => {
  const describe = (uki: NonNullable<ImageSummary["uki"]>) => summarize({ ...summary, uki }, options, 2640)[3];
  expect(describe({ version: "6.1", cmdline: "quiet", isSigned: true })).toBe(
    "  uki      Linux 6.1, signed; command line: quiet",
  );
  expect(describe({ version: "6.1", cmdline: null, isSigned: false })).toBe(
    "  uki      Linux 6.1, not signed; the command line is the boot loader's",
  );
});

test("it names what leads to a shell, or that nothing does", () => {
  const lines = summarize({ ...summary, hasBusybox: false, fallbacks: ["/sbin/init", "/bin/sh"] }, options, 100);
  expect(lines.slice(5, 7)).toEqual([
    "  shell    none: the image has no BusyBox",
    "  fallback if the kernel cannot start /init, it starts /sbin/init or /bin/sh, regardless of rdshell=",
  ]);
});

test("it says what the image lacks of this host", () => {
  const lacking = ["qla2xxx", "lpfc", "bfa", "aic94xx", "wd719x"];
  const lines = summarize({ ...summary, modprobeDirs: [], lackingFirmware: lacking }, options, 100);
  expect(lines.slice(2, 5)).toEqual([
    "  modprobe no modprobe.d files (add some with --modprobe-dir DIR)",
    "  runtime  paged",
    "  firmware this host has none for qla2xxx, lpfc, bfa and 2 more",
  ]);
});

test("and says so where there are no modules, or no compression", () => {
  const lines = summarize({ ...summary, kernel: null }, { ...options, compression: { method: "none", level: 0 } }, 100);
  expect(lines[1]).toContain("the image has no modules");
  expect(lines[4]).toContain("not compressed");
});

/** A file of this many MiB. */
function file(path: string, sizeMib: number): ImageEntry {
  return { kind: "file", path, mode: 0o644, content: { ...contentOfBytes(""), size: sizeMib * MIB } };
}

test("the memory needed is at least what was measured: of 136.6 MiB in 51.6 MiB, 272 MiB booted the cloud kernel, and 384 MiB without a root=", () => {
  expect(estimateMemory([file("/a", 136.6)], 51.6 * MIB)).toEqual({ withRoot: 280 * MIB, withoutRoot: 400 * MIB });
});

test("another name of the same file takes no more memory", () => {
  const one = file("/a", 100);
  expect(estimateMemory([one, { ...one, path: "/b" }], MIB)).toEqual(estimateMemory([one], MIB));
  expect(estimateMemory([one, file("/b", 100)], MIB).withRoot).toBeGreaterThan(estimateMemory([one], MIB).withRoot);
});

test("a small image still needs room to run", () => {
  const { withRoot, withoutRoot } = estimateMemory([file("/a", 4)], MIB);
  expect(withoutRoot).toBe(withRoot);
  expect(withRoot).toBeGreaterThan(100 * MIB);
});

/** A terminal that keeps what is written, and a clock that is moved by hand. */
function listen(isTTY: boolean) {
  let written = "";
  let nowMs = 0;
  const voice = createTerminalVoice({ isTTY, write: (text: string) => (written += text) }, () => nowMs);
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
