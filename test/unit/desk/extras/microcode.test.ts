import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { writeCpio } from "../../../../src/desk/archive/cpio.ts";
import { findMicrocode } from "../../../../src/desk/extras/microcode.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { listenToVoice } from "../heard-voice.ts";

const INTEL = { vendor: "GenuineIntel", family: 6, model: 142, stepping: 10 };
const AMD = { vendor: "AuthenticAMD", family: 0x19, model: 1, stepping: 1 };

/** A /lib/firmware as packages fill it: one file of Intel compressed, as Fedora has them all. */
function firmware(): string {
  const root = scratchDirectory();
  const put = (path: string, content: string | Uint8Array) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  put("intel-ucode/06-8e-0a.zst", zstdCompressSync("for this CPU"));
  put("intel-ucode/06-8e-09", "for another");
  put("intel-ucode/README", "no microcode");
  put("amd-ucode/microcode_amd.bin", "old;");
  put("amd-ucode/microcode_amd_fam17h.bin", "Zen;");
  put("amd-ucode/microcode_amd_fam19h.bin", "Zen 3;");
  put("amd-ucode/microcode_amd_fam19h.bin.asc", "a signature");
  return root;
}

/** The files of the archive with their offsets. */
function filesOf(entries: ReturnType<typeof findMicrocode>) {
  const bytes = Buffer.concat([...writeCpio(entries)]);
  const { members } = readCpio(bytes);
  return members
    .filter(({ data }) => data.length > 0)
    .map(({ name, data }) => ({ name, text: Buffer.from(data).toString(), offset: bytes.indexOf(data) }));
}

describe("microcode", () => {
  test.each([
    [INTEL, [{ name: "kernel/x86/microcode/GenuineIntel.bin", text: "for this CPU" }]],
    [AMD, [{ name: "kernel/x86/microcode/AuthenticAMD.bin", text: "Zen 3;" }]],
    [{ ...AMD, family: 0x10 }, [{ name: "kernel/x86/microcode/AuthenticAMD.bin", text: "old;" }]],
    [
      null,
      [
        { name: "kernel/x86/microcode/GenuineIntel.bin", text: "for anotherfor this CPU" },
        { name: "kernel/x86/microcode/AuthenticAMD.bin", text: "old;Zen;Zen 3;" },
      ],
    ],
  ])("is that of the CPU, or all: %j", (cpu, expected) => {
    const found = filesOf(findMicrocode(cpu, listenToVoice(), firmware()));
    expect(found.map(({ name, text }) => ({ name, text }))).toEqual(expected);
    expect(found.filter(({ offset }) => offset % 16 !== 0)).toEqual([]);
  });

  test("of a CPU for which the packages have none is left out with a warning", () => {
    const voice = listenToVoice();
    expect(findMicrocode({ ...INTEL, stepping: 11 }, voice, firmware())).toEqual([]);
    expect(voice.warnings).toEqual([
      "this host has no microcode for the CPU: GenuineIntel, family 6, model 142, stepping 11",
    ]);
  });

  test("that no package has installed is an error with the package", () => {
    const said = (cpu: typeof INTEL | null) =>
      refusalOf(() => findMicrocode(cpu, listenToVoice(), scratchDirectory())).join("\n");
    expect(said(AMD)).toContain("hint: install it (Debian: apt install amd64-microcode), or leave out --microcode");
    expect(said(null)).toContain("apt install intel-microcode or amd64-microcode");
    expect(said({ ...INTEL, vendor: "" })).toContain('there is no microcode for CPUs of ""');
  });
});
