import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import { describeArchiveFault } from "../../../../src/problems/causes/archive.ts";
import { SyscallError } from "../../../../src/problems/errors.ts";
import { problem } from "../../../../src/problems/problem.ts";
import { report } from "../../../../src/problems/report.ts";
import type { UnpackNews, UnpackOrder } from "../../../../src/stack/archive/order.ts";
import { decodeNews, encodeOrder } from "../../../../src/stack/archive/order.ts";
import { createUnpacker } from "../../../../src/stack/archive/serve-archive.ts";
import { recipe } from "../../../support/network/recipes.ts";

const machine = createLinuxMachine();
let base = "";
let made = 0;
/** What `describeTree` says of the tree that is packed, without and with fractions of seconds. */
let seconds: string[] = [];
let exact: string[] = [];

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "levain-archive-"));
  makeTree(join(base, "tree"));
  [seconds = [], exact = []] = [false, true].map((hasFractions) => describeTree(join(base, "tree"), hasFractions));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

function run(...[program = "", ...words]: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", maxBuffer: 64 << 20 });
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** One of everything that an archive can hold. */
function makeTree(tree: string): void {
  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  mkdirSync(join(tree, "tmp"));
  chmodSync(join(tree, "tmp"), 0o1777);
  writeFileSync(join(tree, "usr/bin/tool"), "#!/bin/sh\n".repeat(5000));
  chmodSync(join(tree, "usr/bin/tool"), 0o4755);
  linkSync(join(tree, "usr/bin/tool"), join(tree, "usr/bin/other-name"));
  symlinkSync("usr/bin", join(tree, "bin"));
  symlinkSync("/proc/self/mounts", join(tree, "mtab"));
  symlinkSync(`../${"a".repeat(180)}`, join(tree, "usr/long-target"));
  writeFileSync(join(tree, `usr/${"n".repeat(200)}`), "a long name");
  mkdirSync(join(tree, `usr/${"d".repeat(90)}/${"e".repeat(90)}`), { recursive: true });
  writeFileSync(join(tree, `usr/${"d".repeat(90)}/${"e".repeat(90)}/f`), "a long path");
  writeFileSync(join(tree, "empty"), "");
  writeFileSync(join(tree, "holes"), "");
  run(
    "sh",
    "-c",
    `cd ${tree} && for at in 0 7 300 500; do printf data | dd of=holes bs=4096 seek=$at conv=notrunc status=none; done`,
  );
  truncateSync(join(tree, "holes"), 4 << 20);
  writeFileSync(join(tree, "usr/ünïcode\n"), "x");
  run("mknod", join(tree, "console"), "c", "5", "1");
  run("mknod", join(tree, "disk"), "b", "259", "70000");
  run("mkfifo", join(tree, "pipe"));
  run("chown", "-h", "1234:3000000", join(tree, "bin"), join(tree, "empty"));
  run("touch", "-h", "-d", "1999-12-31 23:59:58.123456789", join(tree, "empty"), join(tree, "bin"), join(tree, "usr"));
  const kept = machine.openTree(tree, "as mounted");
  kept.setAttribute(
    "usr/bin/tool",
    "security.capability",
    Uint8Array.fromHex("0100000200200000000000000000000000000000"),
  );
  kept.setModified("usr/bin", 5_000_000_001n);
  kept.close();
}

/** All that is kept of a tree, a line each; times in whole seconds where the format has no others. */
function describeTree(tree: string, hasFractions: boolean): string[] {
  const time = hasFractions ? "%T@" : "%Ts";
  const lines = run("find", tree, "-printf", `%P %y %m %U %G %n %l ${time} %s\\0`).split("\0").sort();
  const sums = run("sh", "-c", `cd ${tree} && find . -type f -print0 | sort -z | xargs -0 sha256sum -z`).split("\0");
  const nodes = run("sh", "-c", `cd ${tree} && stat -c '%n %t:%T' console disk`);
  // A directory's own size and number of names are those of its filesystem.
  return [...lines.map((line) => line.replace(/( d \d+ \d+ \d+) \d+ (.*) \d+$/, "$1 $2")), ...sums, nodes];
}

async function unpack(archive: string, order: Partial<UnpackOrder> = {}) {
  made += 1;
  const target = join(base, `out${made}`);
  mkdirSync(target);
  const work = createUnpacker(machine);
  let next: UnpackOrder | null = { archive, target, limitBytes: 1 << 30, digest: null, ...order };
  for (;;) {
    const news: UnpackNews = decodeNews(await work(encodeOrder(next)));
    next = null;
    if (news.state !== "running") {
      const refusal = news.state === "done" ? null : describeArchiveFault(news.state);
      return { target, refusal, lost: news.lost, entries: news.entries };
    }
  }
}

function pack(name: string, ...options: readonly string[]): string {
  const archive = join(base, name);
  run("tar", "-C", join(base, "tree"), "-cf", archive, ...options, ".");
  return archive;
}

describe("what GNU tar packs is unpacked as it was", () => {
  const XATTRS = ["--xattrs", "--xattrs-include=*"];
  test.each([
    ["pax", ["--format=pax", ...XATTRS], true],
    ["pax, sparse 0.0", ["--format=pax", "--sparse", "--sparse-version=0.0", ...XATTRS], true],
    ["pax, sparse 0.1", ["--format=pax", "--sparse", "--sparse-version=0.1", ...XATTRS], true],
    ["pax, sparse 1.0, zstd", ["--format=pax", "--sparse", "--zstd", ...XATTRS], true],
    ["gnu, gzip", ["--format=gnu", "--gzip"], false],
    ["gnu, sparse, xz", ["--format=gnu", "--sparse", "--xz"], false],
  ] as const)("%s", async (name, options, hasFractions) => {
    const { target, refusal, lost } = await unpack(pack(`${name.replaceAll(/\W/g, "")}.tar`, ...options));
    expect(refusal).toBeNull();
    expect(lost).toEqual([]);
    expect(describeTree(target, hasFractions)).toEqual(hasFractions ? exact : seconds);
    if (name.includes("sparse")) expect(Number(run("stat", "-c", "%b", join(target, "holes")))).toBeLessThan(200);
    if (!hasFractions) return;
    const kept = machine.openTree(target, "as mounted");
    expect(kept.attributes("usr/bin/tool").get("security.capability")?.length).toBe(20);
    kept.close();
  });

  test("by the command of docs/network.md", async () => {
    run("sh", "-c", `cd "$1" && ${recipe("tar ").replace("TREE", "tree")}`, "sh", base);
    const { target, refusal } = await unpack(join(base, "root.tar.zst"));
    expect(refusal).toBeNull();
    expect(describeTree(target, true)).toEqual(exact);
  });

  test("ustar, which has no long names", async () => {
    const archive = join(base, "ustar.tar");
    run(
      "tar",
      "-C",
      join(base, "tree"),
      "--format=ustar",
      "--exclude=*nnnn*",
      "--exclude=long-target",
      "--exclude=empty",
      "--exclude=bin",
      "-cf",
      archive,
      ".",
    );
    const { target, refusal } = await unpack(archive);
    expect(refusal).toBeNull();
    expect(run("cat", join(target, `usr/${"d".repeat(90)}/${"e".repeat(90)}/f`))).toBe("a long path");
  });
});

/** A header of ustar, and its data padded to a block. */
function entry(name: string, type: string, { target = "", data = "", mode = "0000644" } = {}): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, "latin1");
  for (const [at, text] of [
    [100, mode],
    [108, "0000000"],
    [116, "0000000"],
    [136, "00000000000"],
  ] as const)
    block.write(text, at);
  block.write(data.length.toString(8).padStart(11, "0"), 124);
  block.write(type, 156);
  block.write(target, 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  return Buffer.concat([sealed(block), Buffer.from(data.padEnd(Math.ceil(data.length / 512) * 512, "\0"))]);
}

/** The block with its checksum. */
function sealed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const END = Buffer.alloc(1024);

function archiveOf(...entries: readonly Buffer[]): string {
  made += 1;
  const path = join(base, `crafted${made}.tar`);
  writeFileSync(path, Buffer.concat([...entries, END]));
  return path;
}

describe("what would lead out of the tree, or hides something, is refused by name", () => {
  test.each([
    ["an absolute name", [entry("/etc/passwd", "0")], "/etc/passwd: its name is absolute"],
    ["a name with ..", [entry("a/../../b", "0")], 'a/../../b: its name leads out of the tree by ".."'],
    [
      "a symbolic link above the root",
      [entry("a/l", "2", { target: "../../x" })],
      "a/l: it is a symbolic link that leads out of the tree: ../../x",
    ],
    ["an absolute one with ..", [entry("l", "2", { target: "/../x" })], "leads out of the tree"],
    [
      "a file behind a symbolic link",
      [entry("l", "2", { target: "/etc" }), entry("l/passwd", "0")],
      "l/passwd: it lies below an entry that is no directory",
    ],
    [
      "a directory behind one",
      [entry("l", "2", { target: "/etc" }), entry("l/d/", "5")],
      "below an entry that is no directory",
    ],
    [
      "a file behind two of them",
      [entry("l", "2", { target: "/etc" }), entry("l/a/b/c", "0")],
      "below an entry that is no directory",
    ],
    [
      "a file in place of a symbolic link",
      [entry("l", "2", { target: "/etc/passwd" }), entry("l", "0", { data: "x" })],
      "l: the archive has two entries of this name",
    ],
    ["two directories", [entry("d/", "5"), entry("d/", "5")], "d: the archive has two entries of this name"],
    [
      "a hard link to nothing",
      [entry("h", "1", { target: "missing" })],
      "h: it is a hard link to missing, which no entry before it is",
    ],
    ["a hard link to a directory", [entry("d/", "5"), entry("h", "1", { target: "d" })], "which no entry before it is"],
    ["a hard link out of the tree", [entry("h", "1", { target: "../../etc/passwd" })], "leads out of the tree"],
    [
      "a hard link through a symbolic one",
      [entry("l", "2", { target: "/etc" }), entry("h", "1", { target: "l/passwd" })],
      "which no entry before it is",
    ],
    ["an unknown type", [entry("x", "Z")], 'x: entries of type "Z" are not supported'],
    ["a part of several volumes", [entry("x", "M", { data: "x" })], "are not supported"],
    ["an empty name", [entry("", "0")], "its name is empty"],
    ["a file as the root", [entry("./", "0"), entry(".", "0")], "its name is empty"],
    [
      "a negative size",
      [
        sealed(
          Buffer.concat([entry("x", "0").subarray(0, 124), Buffer.alloc(12, 0xff), entry("x", "0").subarray(136)]),
        ),
      ],
      "its header is malformed",
    ],
    [
      "an extended header that lies about its length",
      [entry("x", "x", { data: "999 path=y\n" })],
      "its header is malformed",
    ],
    [
      "no tar archive at all",
      [Buffer.alloc(512, 0x41)],
      "the archive is damaged, or no tar archive: no header at byte 0",
    ],
  ] as const)("%s", async (_, entries, text) => {
    const { refusal } = await unpack(archiveOf(...entries));
    expect(refusal).toContain(text);
  });

  test("an archive that ends at any byte before its end mark", async () => {
    const whole = readFileSync(archiveOf(entry("d/", "5"), entry("d/file", "0", { data: "some data" })));
    for (const length of [0, 1, 511, 512, 513, 1024, 1500, 1536, 2047, 2048, 2559]) {
      made += 1;
      const path = join(base, `cut${made}.tar`);
      writeFileSync(path, whole.subarray(0, length));
      expect([length, (await unpack(path)).refusal]).toEqual([length, "the archive is truncated: it has no end mark"]);
    }
  });

  test.each(["--zstd", "--gzip", "--xz"])("a compressed archive that is truncated or damaged: %s", async (option) => {
    const whole = readFileSync(pack(`whole${option}.tar`, option));
    const path = join(base, `damaged${option}.tar`);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    expect((await unpack(path)).refusal).toMatch(/truncated|ended with status/);
    writeFileSync(path, Buffer.concat([whole.subarray(0, 100), Buffer.alloc(64, 7), whole.subarray(164)]));
    expect((await unpack(path)).refusal).toMatch(/truncated|ended with status|damaged/);
  });

  test("a compression that is not supported is named", async () => {
    const path = join(base, "x.tar.bz2");
    writeFileSync(path, "BZh91AY");
    expect((await unpack(path)).refusal).toBe("bzip2 is not supported: use zstd, gzip or xz");
  });
});

test("a directory that is named after its content keeps what the archive says of it", async () => {
  const { target, refusal } = await unpack(
    archiveOf(entry("d/file", "0", { data: "x" }), entry("d/", "5", { mode: "0000700" })),
  );
  expect(refusal).toBeNull();
  expect(run("stat", "-c", "%a", join(target, "d")).trim()).toBe("700");
});

test("what unpacks to more than there is room for ends before memory does", async () => {
  const zeros = join(base, "zeros");
  mkdirSync(zeros);
  run("truncate", "-s", "16M", join(zeros, "bomb"));
  const archive = join(base, "bomb.tar.zst");
  run("tar", "-C", zeros, "--zstd", "-cf", archive, ".");
  const { refusal, target } = await unpack(archive, { limitBytes: 8 << 20 });
  expect(refusal).toContain("it unpacks to more than 8");
  expect(run("find", target, "-type", "f")).toBe("");
  const many = archiveOf(...Array.from({ length: 300 }, (_, index) => entry(`f${index}`, "0")));
  expect((await unpack(many, { limitBytes: 100 << 10 })).refusal).toContain("it unpacks to more than 100");
});

/** A header of pax with these records. */
function pax(type: "x" | "g", ...records: readonly (readonly [keyword: string, value: string])[]): Buffer {
  const data = records.map(([keyword, value]) => {
    const rest = ` ${keyword}=${value}\n`;
    const length = [1, 2, 3, 4, 5, 6, 7].find((digits) => String(rest.length + digits).length === digits) ?? 0;
    return `${rest.length + length}${rest}`;
  });
  return entry("pax", type, { data: data.join("") });
}

test.each([
  ["directories that a name implies", [pax("x", ["path", `${"a/".repeat(2000)}f`]), entry("f", "0")]],
  [
    "attributes",
    Array.from({ length: 9 }, (_, index) => [
      pax("x", ["SCHILY.xattr.trusted.x", "v".repeat(60_000)]),
      entry(`f${index}`, "0"),
    ]).flat(),
  ],
  [
    "targets",
    Array.from({ length: 300 }, (_, i) => [pax("x", ["linkpath", "t".repeat(4000)]), entry(`l${i}`, "2")]).flat(),
  ],
  [
    "two bytes in two pages each",
    [
      pax(
        "x",
        ["GNU.sparse.size", String(1 << 30)],
        ["GNU.sparse.map", Array.from({ length: 200 }, (_, index) => `${4095 + index * 8192},2`).join(",")],
      ),
      entry("f", "0", { data: "x".repeat(400) }),
    ],
  ],
] as const)("memory for what has no content counts: %s", async (_, entries) => {
  const { refusal } = await unpack(archiveOf(...entries.flat()), { limitBytes: 1 << 20 });
  expect(refusal).toContain("it unpacks to more than 1");
});

test("a filesystem that is full is named, with what gives it more room", async () => {
  const full = {
    ...machine,
    openTree: (...words: Parameters<typeof machine.openTree>) => ({
      ...machine.openTree(...words),
      createFile(path: string): never {
        throw new SyscallError("openat", "ENOSPC", path);
      },
    }),
  };
  const order = { archive: archiveOf(entry("f", "0")), target: base, limitBytes: 1 << 30, digest: null };
  const { state } = decodeNews(await createUnpacker(full)(encodeOrder(order)));
  if (state === "running" || state === "done") throw new Error(state);
  const lines = report(problem("archive-refused", { path: "/root.tar", fault: state })).join("\n");
  expect(lines).toContain("f: the filesystem in memory has no more room");
  expect(lines).toContain("allow more: root=tmpfs:size=SIZE");
});

test("global headers have a limit, together", async () => {
  const headers = Array.from({ length: 3 }, () => pax("g", ["comment", "c".repeat(600_000)]));
  expect((await unpack(archiveOf(...headers))).refusal).toBe("its header is malformed: an extended header");
});

test.each([
  ["uid", String(2 ** 32)],
  ["gid", String(2 ** 32 - 1)],
])("an owner that the kernel would read as another is refused: %s=%s", async (keyword, value) => {
  const { refusal } = await unpack(archiveOf(pax("x", [keyword, value]), entry("f", "0", { mode: "0004755" })));
  expect(refusal).toBe("f: its header is malformed: the owner or the group");
});

test("a warning about lost attributes, and a refusal, have room for any name", async () => {
  const entries = Array.from({ length: 30 }, (_, index) => [
    pax("x", [`SCHILY.xattr.other${index}.${"n".repeat(600_000)}`, "v"]),
    entry(`f${index}`, "0"),
  ]);
  const { refusal, lost } = await unpack(archiveOf(...entries.flat()));
  expect(refusal).toBeNull();
  expect(lost).toHaveLength(20);
  expect(Math.max(...lost.map((name) => name.length))).toBe(255);
  const long = await unpack(archiveOf(pax("x", ["path", `/${"n".repeat(600_000)}`]), entry("f", "0")));
  expect(long.refusal).toEndWith("n: its name is absolute");
  expect(long.refusal?.length).toBeLessThan(600);
});

test.each([
  ["zstd", zstdCompressSync],
  ["gzip", gzipSync],
] as const)("a digest covers zeros behind compressed data: %s", async (name, compress) => {
  const data = compress(readFileSync(archiveOf(entry("f", "0", { data: "x" }))));
  const file = Buffer.concat([data, Buffer.alloc(5 << 20)]);
  const path = join(base, `padded.${name}`);
  writeFileSync(path, file);
  const hex = createHash("sha256").update(file).digest("hex");
  expect((await unpack(path, { digest: { algorithm: "sha256", hex } })).refusal).toBeNull();
});

test("the digest of the archive as it is decides", async () => {
  const archive = pack("digest.tar.zst", "--zstd");
  const hex = createHash("sha256").update(readFileSync(archive)).digest("hex");
  expect((await unpack(archive, { digest: { algorithm: "sha256", hex } })).refusal).toBeNull();
  const other = { algorithm: "sha256", hex: "0".repeat(64) } as const;
  expect((await unpack(archive, { digest: other })).refusal).toBe(`its content is sha256:${hex}`);
});

test("whatever bytes an archive has, it is unpacked or refused", async () => {
  const whole = readFileSync(
    archiveOf(
      entry("d/", "5"),
      entry("d/a", "0", { data: "data" }),
      entry("d/l", "2", { target: "a" }),
      entry("x", "x", { data: "12 path=ab\n" }),
      entry("b", "0"),
    ),
  );
  const path = join(base, "any.tar");
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.boolean(), async (changes, isSealed) => {
      const bytes = Buffer.from(whole);
      for (const { at, byte } of changes) bytes[at] = byte;
      // With right checksums, the fields behind them are read.
      if (isSealed)
        for (let at = 0; at < bytes.length - END.length; at += 512)
          if (bytes.toString("latin1", at + 257, at + 262) === "ustar") sealed(bytes.subarray(at, at + 512));
      writeFileSync(path, bytes);
      const { target, refusal } = await unpack(path);
      expect(refusal === null || refusal.length > 0).toBe(true);
      rmSync(target, { recursive: true });
    }),
    { numRuns: 100 },
  );
  expect(run("find", base, "-maxdepth", "1", "-name", "passwd")).toBe("");
});
