import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../support/command.ts";
import { listedPackages } from "../../support/debian-packages.ts";
import { closure, readInstalled } from "../../support/installed-packages.ts";

const ROOT = join(import.meta.dir, "../../..");
const LINE = /^([a-z0-9][a-z0-9.+-]+) +(install|unpack) +(\S.*)$/;

// What of a package acts on a machine by being installed: systemd units, boot scripts, rules of udev, D-Bus services, cron jobs,
// interpreters that the kernel gets, hooks of the machine's own initramfs.
const ACTS =
  /^(?:\/usr)?\/lib\/systemd\/(?:system|user)\/.*\.(?:service|timer|socket|path|mount)$|^\/etc\/init\.d\/.|^(?:\/usr)?\/lib\/udev\/rules\.d\/.|\/dbus-1\/(?:system-)?services\/.|^\/etc\/cron\.\w+\/.|\/binfmt\.d\/.|\/initramfs-tools\/(?:hooks|scripts|conf-hooks\.d)\/./m;

describe.each(["build", "aarch64", "demo", "test"] as const)("build/packages-%s.txt", (list) => {
  const lines = readFileSync(join(ROOT, `build/packages-${list}.txt`), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

  test("has a reason for each package", () => {
    expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
  });

  test("installs no package that acts on the machine, nor one that depends on such a package", async () => {
    const installed = await readInstalled();
    const needed = closure(installed, listedPackages("install", list));
    // Every Debian has the others.
    const further = [...needed].filter((name) => !/^(required|important)$/.test(installed.get(name)?.priority ?? ""));
    // A list of files for each, with an empty line between them.
    const lists = (await run(["dpkg-query", "-L", ...further])).split("\n\n");
    expect(lists).toHaveLength(further.length);
    expect(further.filter((_, index) => ACTS.test(lists[index] ?? ""))).toEqual([]);
    expect(needed.size).toBeGreaterThan(10);
  });
});

test("the table of CONTRIBUTING.md is what make installs", () => {
  const rows = readFileSync(join(ROOT, "build/packages-build.txt"), "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, name, how, reason] = LINE.exec(line) ?? [];
      return name === undefined ? [] : [{ how, row: `| ${name} | ${reason} |` }];
    });
  expect(rows.filter(({ how }) => how !== "install")).toEqual([]);
  const text = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
  expect(text).toContain(`| package | what for |\n|---|---|\n${rows.map(({ row }) => row).join("\n")}\n\n`);
});
