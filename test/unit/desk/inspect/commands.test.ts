import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readSegments } from "../../../../src/desk/inspect/segments.ts";
import { writeTrailer } from "../../../../src/desk/program/trailer.ts";
import { scratchDirectory } from "../../../support/cache.ts";
import { runScript } from "../../../support/command.ts";
import { DIRECTORY, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";

const EARLY: readonly RawMember[] = [
  ...["kernel", "kernel/x86", "kernel/x86/microcode"].map((name) => ({ name, mode: DIRECTORY })),
  { name: "kernel/x86/microcode/AuthenticAMD.bin", data: "x" },
];
const MEMBERS: readonly RawMember[] = [
  { name: "init", mode: 0o100755, data: "#!/bin/sh\n", mtime: 1_700_000_000 },
  { name: "conf", mode: DIRECTORY },
  { name: "conf/initramfs.conf", data: "MODULES=most\n" },
  { name: "scripts", mode: DIRECTORY },
  { name: "scripts/functions", data: "x" },
  { name: "sh", mode: SYMLINK, data: "bin/\u001b[31msh" },
  { name: "fd0", mode: 0o060640, major: 2, minor: 0 },
  { name: "suid", mode: 0o104711, data: "x", uid: 7 },
  { name: "tmp", mode: 0o041777 },
];

function imageFile(bytes: Uint8Array): string {
  const file = join(scratchDirectory(), "initrd.img");
  writeFileSync(file, bytes);
  return file;
}

test("a FIFO is not waited for, a device is not read without end", async () => {
  const pipe = join(scratchDirectory(), "pipe");
  await runScript('mkfifo "$1"', [pipe]);
  for (const path of [pipe, "/dev/zero", "/"]) {
    expect(await desk("inspect", path)).toMatchObject({ status: 1, stdout: "" });
    expect((await desk("inspect", path)).stderr).toContain(`cannot read ${path}: not a regular file`);
  }
});

const image = imageFile(Buffer.concat([rawCpio(EARLY), Buffer.alloc(100), gzipSync(rawCpio(MEMBERS))]));

describe("levain inspect", () => {
  test("shows the segments and what levain would do", async () => {
    const { status, stdout, stderr } = await desk("inspect", image);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("2 segments");
    expect(stdout).toMatch(/ 1 +0 +\d+ +none +newc +4 +\d+ +early microcode: AuthenticAMD/);
    expect(stdout).toMatch(/ 2 +\d+ +\d+ +gzip +newc +9/);
    expect(stdout).toMatch(/made by +initramfs-tools/);
    expect(stdout).toContain("it would ignore /scripts, /conf");
    expect(stdout).not.toContain("problem");
  });

  test("--list as cpio lists it, with everything made safe to print", async () => {
    const { stdout } = await desk("inspect", "--list", image);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(13);
    expect(lines[4]).toBe("-rwxr-xr-x   1 0        0              10 2023-11-14 22:13 init");
    const crafted = imageFile(rawCpio([{ name: "a\u001b]0;b" }]));
    expect((await desk("inspect", "--list", crafted)).stdout).toEndWith(" a\\x1b]0;b\n");
    expect(lines[9]).toBe("lrwxrwxrwx   1 0        0              11 1970-01-01 00:00 sh -> bin/\\x1b[31msh");
    expect(lines[10]).toBe("brw-r-----   1 0        0          2,   0 1970-01-01 00:00 fd0");
    expect(lines[11]).toStartWith("-rws--x--x   1 7 ");
    expect(lines[12]).toStartWith("drwxrwxrwt ");
    const cpio = Bun.spawnSync(["cpio", "--quiet", "-itvn"], {
      stdin: rawCpio(MEMBERS),
      env: { TZ: "UTC", LC_ALL: "C" },
    });
    const time = /[A-Z][a-z]{2} [ \d]\d [ \d:]{5} |\d{4}-\d\d-\d\d \d\d:\d\d /;
    const theirs = cpio.stdout.toString().replace("\u001b", "\\x1b").trimEnd().split("\n");
    expect(lines.slice(4).map((line) => line.replace(time, ""))).toEqual(theirs.map((line) => line.replace(time, "")));
  });

  test("--json gives plain data, with --list the members", async () => {
    const found = JSON.parse((await desk("inspect", "--json", image)).stdout);
    expect(found.findings).toMatchObject({ maker: "initramfs-tools", init: { kind: "script", path: "/init" } });
    expect(found.segments[1].archives).toEqual([{ format: "newc", offset: 0, memberCount: 9 }]);
    const listed = JSON.parse((await desk("inspect", "--json", "--list", image)).stdout);
    expect(listed.segments[1].archives[0].members[0]).toMatchObject({ name: "init", mode: 0o100755, size: 10 });
  });

  test("a damaged one is shown as far as it goes, with status 1", async () => {
    const { status, stdout } = await desk("inspect", imageFile(Buffer.concat([rawCpio(MEMBERS), Buffer.from("junk")])));
    expect(status).toBe(1);
    expect(stdout).toContain("1 segment\n");
    expect(stdout).toContain("problem   the rest cannot be read: neither a cpio archive nor compressed data");
  });

  test("what is not an initramfs is named", async () => {
    const kernel = Buffer.alloc(4096, 0x90);
    kernel.write("HdrS", 0x202);
    expect((await desk("inspect", imageFile(kernel))).stderr).toContain("hint: this is a kernel");
    const squashfs = Buffer.alloc(4096);
    squashfs.write("hsqs");
    squashfs.writeUInt16LE(4, 28);
    squashfs.writeUInt32LE(4096, 40);
    expect(await desk("inspect", imageFile(squashfs))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("this is a squashfs"),
    });
    expect((await desk("inspect", "/no/such")).stderr).toContain("cannot read /no/such");
    expect((await desk("inspect")).status).toBe(2);
    expect((await desk("inspect", "a", "b")).status).toBe(2);
  });
});

describe("levain extract", () => {
  test("unpacks into a new directory and says what it left out", async () => {
    const target = join(scratchDirectory(), "tree");
    const { stdout, stderr } = await desk("extract", image, target, "--member", "init", "-m", "conf");
    expect([stdout, stderr]).toEqual([`${target}\n  entries  3\n`, ""]);
    expect(readFileSync(join(target, "conf/initramfs.conf"), "utf8")).toBe("MODULES=most\n");
    expect(existsSync(join(target, "scripts"))).toBe(false);
    expect(await desk("extract", image, target)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("not empty"),
    });
  });

  test("of a damaged one as much as there is, with status 1", async () => {
    const target = join(scratchDirectory(), "tree");
    const damaged = imageFile(rawCpio(MEMBERS).subarray(0, 600));
    const { status, stdout, stderr } = await desk("extract", damaged, target, "-m", "init", "--json");
    expect(status).toBe(1);
    expect(stderr).toContain("warning: not a cpio archive that the kernel reads");
    expect(JSON.parse(stdout)).toEqual({
      ...{ output: target, entries: 1 },
      leftOut: [expect.stringContaining("not a cpio archive that the kernel reads")],
    });
    expect(existsSync(join(target, "init"))).toBe(true);
  });
});

describe("levain graft", () => {
  const output = join(scratchDirectory(), "grafted");

  test("keeps every byte of the image and replaces only the init", async () => {
    const { status, stdout } = await desk("graft", image, "--init", BUSYBOX, "-o", output, "--compress", "lz4:1");
    expect(status).toBe(0);
    expect(stdout).toContain("ignores  /scripts, /conf");
    const bytes = readFileSync(output);
    const before = readFileSync(image);
    expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
    const { segments, problem } = readSegments(bytes);
    expect(problem).toBeNull();
    expect(segments.at(-1)?.offset).toBe(512 * Math.ceil((before.length + 4) / 512));
    const members = segments.at(-1)?.archives[0]?.members.map(({ name, mode }) => [name, mode]);
    expect(members).toEqual([["init", 0o100755]]);
    expect((await desk("inspect", output)).stdout).toMatch(/init +a program\n/);
  });

  test("stores a program that is compressed already, and says which runtime it has", async () => {
    const program = readFileSync(BUSYBOX);
    const both = join(scratchDirectory(), "levain");
    const trailer = { plainSize: program.length, pagedOffset: program.length, pagedSize: program.length };
    writeFileSync(both, Buffer.concat([program, program, writeTrailer(trailer)]));
    const graft = async (...words: readonly string[]) => {
      const { stdout } = await desk("graft", image, "--init", both, "-o", output, ...words);
      const last = readSegments(readFileSync(output)).segments.at(-1);
      expect(Buffer.compare(last?.archives[0]?.members[0]?.data ?? Buffer.of(), program)).toBe(0);
      return [/runtime +(\w+)/.exec(stdout)?.[1], last?.compression];
    };
    expect(await graft()).toEqual(["paged", "none"]);
    expect(await graft("--runtime", "plain")).toEqual(["plain", "zstd"]);
    expect((await desk("graft", image, "--init", BUSYBOX, "-o", output, "--runtime", "paged")).stderr).toContain(
      "cannot write the paged runtime",
    );
  });

  test("says what the kernel would start in place of the new /init, and so does inspect", async () => {
    const members = [
      { name: "bin", mode: DIRECTORY },
      { name: "bin/sh", mode: 0o100755, data: "x" },
      { name: "init", mode: 0o100755, data: "#!/bin/sh" },
    ];
    const foreign = imageFile(rawCpio(members));
    const { stdout } = await desk("graft", foreign, "--init", BUSYBOX, "-o", output, "--compress", "lz4:1");
    const words = "if the kernel cannot start /init, it starts /bin/sh, regardless of rdshell=\n";
    expect(stdout).toContain(`  fallback ${words}`);
    expect(stdout).toContain("  old init the kernel starts it if the image is truncated before the new one\n");
    for (const file of [foreign, output])
      expect((await desk("inspect", file)).stdout).toContain(`\nfallback  ${words}`);
    const bare = imageFile(rawCpio([{ name: "etc", mode: DIRECTORY }]));
    const answer = await desk("graft", bare, "--init", BUSYBOX, "-o", output, "--compress", "lz4:1", "--json");
    expect(JSON.parse(answer.stdout)).toMatchObject({
      ...{ output, kernel: [], ignores: [], oldInit: false, fallback: [], size: statSync(output).size },
      madeOf: { image: bare, maker: null },
    });
    expect((await desk("inspect", bare)).stdout).not.toContain("fallback");
  });

  test("not into an image that a kernel would not read on", async () => {
    const damaged = imageFile(Buffer.concat([rawCpio(MEMBERS), Buffer.from("junk")]));
    const { status, stderr } = await desk("graft", damaged, "--init", BUSYBOX);
    expect(status).toBe(1);
    expect(stderr).toContain("the kernel would not read the image to its end");
    expect(existsSync(`${damaged}.levain`)).toBe(false);
    const directory = imageFile(rawCpio([{ name: "init", mode: DIRECTORY }]));
    expect((await desk("graft", directory, "--init", BUSYBOX)).stderr).toContain("its /init is a directory");
  });
});
