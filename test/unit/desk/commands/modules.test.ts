import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../../support/cache.ts";
import { desk } from "../../../support/desk-in-process.ts";
import { moduleElf } from "../module-elf.ts";

let directory = "";
let config = "";

beforeAll(() => {
  directory = join(scratchDirectory(), "6.1.0-test");
  mkdirSync(directory);
  const dep = "kernel/fs/ext4.ko: kernel/fs/jbd2.ko kernel/lib/gone.ko\nkernel/fs/jbd2.ko:\nkernel/lib/crc.ko:\n";
  writeFileSync(join(directory, "modules.dep"), dep);
  writeFileSync(join(directory, "modules.alias"), "alias fs-ext4 ext4\nalias pci:v1* crc\n");
  writeFileSync(join(directory, "modules.builtin"), "kernel/net/unix.ko\n");
  for (const name of ["order", "softdep"]) writeFileSync(join(directory, `modules.${name}`), "#\n");
  config = join(directory, "modprobe.d");
  mkdirSync(config);
  writeFileSync(join(config, "a.conf"), "options jbd2 a=1\nblacklist crc\ninstall crc /bin/false\nnonsense\n");
  writeFileSync(join(config, "ignored.txt"), "options jbd2 b=1\n");
});

async function levain(...words: readonly string[]) {
  const { status, stdout, stderr } = await desk("modules", "--modules-dir", directory, ...words);
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

describe("levain modules", () => {
  test("shows the order, and what is missing, built in or unknown", async () => {
    const { status, lines } = await levain("fs-ext4", "unix", "jdb2");
    expect(lines).toEqual([
      "fs-ext4: ext4",
      "  kernel/fs/jbd2.ko",
      "  kernel/fs/ext4.ko",
      "  gone is missing",
      "unix: built into the kernel",
      "jdb2: unknown to 6.1.0-test (similar: jbd2)",
    ]);
    expect(status).toBe(1);
    expect((await levain("jbd2")).status).toBe(0);
  });

  test("obeys a modprobe.d", async () => {
    const { lines, stderr } = await levain("--config", config, "jbd2", "pci:v1d2", "crc");
    expect(lines).toEqual([
      "jbd2: jbd2",
      "  kernel/fs/jbd2.ko a=1",
      "pci:v1d2: crc, blacklisted: not loaded",
      "crc: crc",
      "  crc: install /bin/false",
    ]);
    expect(stderr).toContain('warning: a.conf: "nonsense"');
  });

  test("says where its answers come from if depmod's lists are missing", async () => {
    const kernel = join(scratchDirectory(), "6.1.0-test");
    mkdirSync(kernel);
    for (const name of ["order", "builtin"]) writeFileSync(join(kernel, `modules.${name}`), "#\n");
    writeFileSync(join(kernel, "mine.ko"), moduleElf("alias=pci:v2*"));
    const { status, lines, stderr } = await levain("--modules-dir", kernel, "pci:v2d1");
    expect(lines).toEqual(["pci:v2d1: mine", "  mine.ko"]);
    expect(stderr).toContain("are made from the modules themselves");
    expect(status).toBe(0);
  });

  test("as JSON", async () => {
    const { lines } = await levain("--json", "unix", "nosuch");
    expect(JSON.parse(lines.join("\n"))).toMatchObject([
      { asked: "unix", result: "builtin", targets: [{ name: "unix" }] },
      { asked: "nosuch", result: "unknown", targets: [] },
    ]);
  });

  test("is used wrongly without a name, or with a configuration that is not there", async () => {
    expect((await levain()).status).toBe(2);
    expect(await levain("--config", "/nowhere", "unix")).toMatchObject({ status: 1 });
    expect((await levain("--config", "/nowhere", "unix")).stderr).toContain("cannot read the configuration /nowhere");
  });
});
