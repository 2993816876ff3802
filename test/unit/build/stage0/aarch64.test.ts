import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AARCH64, linkStage0, TARGETS } from "../../../../build/stage0/link.ts";
import { pack } from "../../../../build/stage0/pack.ts";
import { readElf } from "../../../../src/desk/program/elf.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { run } from "../../../support/command.ts";
import { linkOnce } from "../../../support/compiled-c.ts";

const LIBRARIES = "/usr/aarch64-linux-gnu/lib";
const emulator = process.arch === "arm64" ? "env" : "qemu-aarch64-static";

describe("stage0 for other machines", () => {
  test.each(TARGETS)("is one segment without writable memory on $name", (target) => {
    const elf = readElf(linkOnce(target, 0x40000000, { config: 0x40010000, store: null }));
    expect(elf.machine).toBe(target.machine);
    const loads = elf.programHeaders.filter((header) => header.type === 1);
    expect(loads.map((header) => header.flags)).toEqual([5]);
    expect(loads[0]?.address).toBe(0x40000000);
  });

  async function packChild(link: typeof linkStage0): Promise<string> {
    const program = join(scratchDirectory(), "program");
    const source = join(import.meta.dir, "../../../support/stage0-child.c");
    await run([AARCH64.compiler, "-no-pie", "-O1", source, "-o", program]);
    const file = (name: string) => ({ name, bytes: readFileSync(join(LIBRARIES, name)) });
    const input = { program: { name: "program", bytes: readFileSync(program) }, loader: file(AARCH64.loader) };
    const packed = `${program}.packed`;
    writeFileSync(packed, pack({ ...input, libraries: [file("libc.so.6")] }, link));
    chmodSync(packed, 0o755);
    return packed;
  }

  test("refuses a kernel whose pages are too large for the runtime", async () => {
    const flags = [...AARCH64.compilerFlags, "-DMOST_PAGE_KIB=2"];
    const packed = await packChild((target, ...places) => linkStage0({ ...target, compilerFlags: flags }, ...places));
    const child = Bun.spawnSync([emulator, packed], { env: process.env });
    expect(child.exitCode).toBe(126);
    expect(child.stderr.toString()).toBe(
      "levain: levain's runtime does not run on this kernel: its pages are of 4 KiB\n" +
        "levain: hint: boot a kernel with pages of 4 KiB: most distributions have one\n",
    );
  });

  test("runs on AArch64", async () => {
    const packed = await packChild(linkOnce);
    const child = Bun.spawnSync([emulator, packed, "a b"], { env: { ...process.env, STATUS: "7", LEVAIN_X: "1" } });
    const lines = child.stdout.toString().split("\n");
    expect(child.exitCode).toBe(7);
    expect(lines[0]).toContain("thread-local 42, zeros 0");
    expect(lines[1]).toContain("loader there");
    expect(lines).toContain("child: argument a b");
    expect(lines).toContain("child: variable LEVAIN_X=1");
  });
});
