import { beforeEach, describe, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { desk } from "../../../support/desk-in-process.ts";
import { readCpio } from "../../../support/read-cpio.ts";
import { BUSYBOX } from "../../../support/unpacked-programs.ts";
import { createScene } from "../install/scene.ts";

let { root, write, addKernel } = createScene();

const image = (...words: readonly string[]) => {
  const usual = ["--busybox", "none", "--init", BUSYBOX, "--compress", "none", "--output", join(root, "image")];
  return desk("image", "--root", root, ...usual, ...words);
};

/** The members of the image, by path, with their text. */
const members = () => {
  const { members: found } = readCpio(fs.readFileSync(join(root, "image")));
  return new Map(found.map(({ name, data }) => [name, Buffer.from(data).toString()]));
};

beforeEach(() => {
  ({ root, write, addKernel } = createScene());
  addKernel("6.1-default");
  write("/usr/lib/modules/6.1-default/modules.dep", "kernel/fs/mine.ko:\n");
});

describe("levain image --root", () => {
  test("takes the kernel, the modules, modprobe.d and firmware of that system", async () => {
    write("/etc/modprobe.d/mine.conf", "options mine its=1\n");
    write("/usr/lib/modprobe.d/mine.conf", "options mine its=hidden\n");
    write("/usr/lib/firmware/mine/one.bin.zst", "firmware");
    fs.symlinkSync("/usr/lib", join(root, "lib"));
    const { status, stderr, stdout } = await image("--module", "mine", "--firmware", "mine/*");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/kernel +6\.1-default, 1 modules?/);
    const found = members();
    expect(found.get("etc/modprobe.d/mine.conf")).toBe("options mine its=1\n");
    expect(found.get("lib/firmware/mine/one.bin.zst")).toBe("firmware");
    expect([...found.keys()]).toContain("lib/modules/6.1-default/kernel/fs/mine.ko.gz");
  });

  test("refuses what is meant for this machine, and a directory that is not there", async () => {
    expect((await image("--host")).stderr).toContain("--root contradicts --host: that is this machine");
    expect((await desk("image", "--root", join(root, "none"))).stderr).toContain("no directory");
  });

  test("names the kernels to choose from, and not the one that runs here", async () => {
    addKernel("6.2-default");
    const { stderr } = await image();
    expect(stderr).toContain("has no modules of one kernel alone\nseen: 6.1-default · 6.2-default\n");
    expect(stderr).not.toContain("running");
  });

  test("tells of many modprobe.d files with lines that levain ignores in one warning", async () => {
    const put = (name: string) =>
      write(`/usr/lib/modprobe.d/60-${name}.conf`, `blacklist ${name}\ninstall ${name} /x/unblacklist ${name}\n`);
    for (const name of ["adfs", "bfs", "jfs"]) put(name);
    const warnings = async () => (await image()).stderr.split("\n").filter((line) => line.startsWith("warning"));
    expect(await warnings()).toHaveLength(3);
    put("ufs");
    expect(await warnings()).toEqual([
      expect.stringMatching(/^warning: 4 files of modprobe\.d have such lines: .*60-adfs\.conf: levain runs/),
    ]);
  });
});
