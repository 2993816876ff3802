import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../../support/cache.ts";
import { DIRECTORY, type RawMember, rawCpio, SYMLINK } from "../../../support/crafted-cpio.ts";
import { desk } from "../../../support/desk-in-process.ts";

function image(members: readonly RawMember[], name = "initrd.img"): string {
  const file = join(scratchDirectory(), name);
  const directories = new Set(
    members.flatMap(({ name: path }) =>
      path
        .split("/")
        .slice(0, -1)
        .map((_, index, parts) => parts.slice(0, index + 1).join("/")),
    ),
  );
  writeFileSync(file, rawCpio([...[...directories].map((path) => ({ name: path, mode: DIRECTORY })), ...members]));
  return file;
}

const bytes = (length: number, letter = "x") => letter.repeat(length);
const INIT = { name: "init", mode: 0o100755, data: bytes(2 ** 20) };
const MODULE = "usr/lib/modules/6.1.0-1/kernel/fs/ext4.ko";

describe("levain inspect shows what an image is made of", () => {
  const file = image([
    INIT,
    { name: MODULE, data: bytes(512 * 1024) },
    { name: "usr/lib/modules/6.1.0-1/kernel/fs/a.ko", data: "a" },
    { name: "usr/lib/modules/6.1.0-1/kernel/fs/b.ko", data: "b" },
    { name: "usr/lib/firmware/x.bin", data: bytes(128 * 1024) },
    { name: "usr/bin/busybox", mode: 0o100755, data: bytes(64 * 1024) },
    { name: "lib/x86_64-linux-gnu/libc.so.6", data: bytes(32 * 1024) },
    { name: "etc/\u001b[31mred & <b>", data: bytes(16 * 1024) },
  ]);

  test("in the summary, the largest part first", async () => {
    expect((await desk("inspect", file)).stdout).toContain(
      "in files, 1 of them firmware: init 1 MiB, modules 512 KiB, firmware 128 KiB, BusyBox 64 KiB, libraries 32 KiB, configuration 16 KiB",
    );
    expect(JSON.parse((await desk("inspect", "--json", file)).stdout).parts[1]).toEqual({
      part: "modules",
      bytes: 512 * 1024 + 2,
      files: 3,
    });
  });

  test("--tree as a tree, the largest first, small files as a number", async () => {
    const { stdout, status } = await desk("inspect", "--tree", file);
    expect([status, stdout.trimEnd().split("\n")]).toEqual([
      0,
      [
        "   1.7 MiB  /",
        "     1 MiB    init",
        "   704 KiB    usr/",
        "   640 KiB      lib/",
        "   512 KiB        modules/6.1.0-1/kernel/fs/",
        "   512 KiB          ext4.ko",
        "   2 bytes          (2 more files)",
        "   128 KiB        firmware/x.bin",
        "    64 KiB      bin/busybox",
        "    32 KiB    lib/x86_64-linux-gnu/libc.so.6",
        "    16 KiB    etc/\\x1b[31mred & <b>",
      ],
    ]);
  });

  test("--svg as a drawing: each file is as large as its share, and its name is escaped", async () => {
    const { stdout } = await desk("inspect", "--svg", file);
    const areas = [...stdout.matchAll(/width="(\d+)" height="(\d+)"[^>]*><title>([^<]*)</g)].map(
      ([, width, height, title = ""]) => [title, Number(width) * Number(height)] as const,
    );
    expect(areas.map(([title]) => title)).toContain("/etc/\\x1b[31mred &amp; &lt;b&gt;, 16 KiB");
    const areaOf = (start: string) => areas.find(([title]) => title.startsWith(start))?.[1] ?? 0;
    expect(areaOf("/init") / areaOf(`/${MODULE}`)).toBeCloseTo(2, 1);
    expect(stdout).toContain("<title>init 1 MiB, modules 512 KiB");
  });

  test("one form at a time", async () => {
    const { status, stderr } = await desk("inspect", "--tree", "--svg", file);
    expect([status, stderr.split("\n")[0]]).toEqual([2, "--tree and --svg exclude each other"]);
  });

  test("an image without files has no parts", async () => {
    const empty = image([{ name: "dev", mode: DIRECTORY }], "empty.img");
    expect((await desk("inspect", empty)).stdout).toContain("content   0 bytes in files\n");
    expect((await desk("inspect", "--tree", empty)).stdout.trim()).toBe("0 bytes  /");
    expect((await desk("inspect", "--svg", empty)).stdout).toContain("an image without files");
  });
});

describe("levain diff", () => {
  const first = image([
    INIT,
    { name: MODULE, data: "old" },
    { name: "usr/lib/modules/6.1.0-1/kernel/fs/same.ko", data: "same" },
    { name: "gone", data: "x", uid: 7 },
    { name: "link", mode: SYMLINK, data: "a" },
    { name: "mode", mode: 0o100755, data: "x", mtime: 5 },
    { name: "kind", data: "x" },
    { name: "null", mode: 0o020666, major: 1, minor: 3 },
    { name: "untouched", data: "x", mtime: 1 },
  ]);
  const second = image(
    [
      { ...INIT, uid: 7 },
      { name: MODULE.replace("6.1.0-1", "6.1.0-2"), data: "newer" },
      { name: "usr/lib/modules/6.1.0-2/kernel/fs/same.ko", data: "same" },
      { name: "new\u001b", data: bytes(2048) },
      { name: "link", mode: SYMLINK, data: "b" },
      { name: "mode", mode: 0o100644, data: "x", mtime: 6 },
      { name: "kind", mode: DIRECTORY },
      { name: "null", mode: 0o020666, major: 1, minor: 5 },
      { name: "untouched", data: "x", mtime: 2 },
    ],
    "second.img",
  );

  test("compares the modules of two kernels by name, and everything but times", async () => {
    const { status, stdout } = await desk("diff", first, second);
    expect(status).toBe(1);
    const [images = "", rest = ""] = stdout.split("\n\n").map((part, index) => (index === 2 ? part : part));
    expect(images).toContain("6.1.0-2");
    expect(rest).toMatch(/^modules +7 bytes +9 bytes +- +- +1$/m);
    expect(
      stdout
        .split("\n\n")[2]
        ?.trimEnd()
        .split("\n")
        .map((line) => line.replaceAll(/ {2,}/g, " ")),
    ).toEqual([
      "only first 1 bytes /gone",
      "changed owner 0:0 → 7:0, 1 MiB /init",
      "changed file → directory, 1 bytes /kind",
      "changed target a → b /link",
      "changed mode 0755 → 0644, 1 bytes /mode",
      "only second 2 KiB /new\\x1b",
      "changed device 1:3 → 1:5 /null",
      "changed content, 3 bytes → 5 bytes /usr/lib/modules/6.1.0-2/kernel/fs/ext4.ko",
    ]);
  });

  test("--json gives plain data", async () => {
    const { images, differences } = JSON.parse((await desk("diff", "--json", first, second)).stdout);
    expect(images.map(({ file }: { file: string }) => file)).toEqual([first, second]);
    expect(differences[0]).toEqual({ path: "/gone", part: "other", what: "first", sizes: [1, null] });
  });

  test("says so if there are none: status 0", async () => {
    const { status, stdout } = await desk("diff", first, first);
    expect([status, stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "no differences"]);
  });

  test("an image that cannot be read: status 2, as of diff(1)", async () => {
    expect(await desk("diff", first, "/dev/null")).toMatchObject({ status: 2, stdout: "" });
    expect((await desk("diff", first)).status).toBe(2);
  });
});
