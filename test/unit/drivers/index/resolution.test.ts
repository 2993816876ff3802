import { describe, expect, test } from "bun:test";
import { parseModprobeConfig } from "../../../../src/drivers/index/modprobe-config.ts";
import { buildModuleIndex } from "../../../../src/drivers/index/module-index.ts";
import {
  type ModuleAction,
  type ModuleSource,
  namesToLoad,
  resolveModule,
} from "../../../../src/drivers/index/resolution.ts";

const SOFTDEP =
  "softdep ext4 pre: crypto-crc32c\nsoftdep btrfs pre: crc\nsoftdep btrfs pre: sha256\nsoftdep loop_a post: loop_b\nsoftdep loop_b post: loop_a\n";

function source(config = ""): ModuleSource {
  const index = buildModuleIndex("6.1.0", {
    dep: [
      "kernel/fs/ext4.ko: kernel/fs/jbd2.ko kernel/fs/mbcache.ko",
      "kernel/fs/jbd2.ko:",
      "kernel/fs/mbcache.ko:",
      "kernel/fs/btrfs.ko:",
      "kernel/crypto/crc.ko:",
      "kernel/crypto/crc-fast.ko: kernel/crypto/crc.ko",
      "kernel/crypto/sha256.ko:",
      "kernel/loop_a.ko:",
      "kernel/loop_b.ko:",
      "kernel/half.ko: kernel/nowhere.ko",
    ].join("\n"),
    alias: "alias crypto-crc32c crc\nalias crypto-crc32c crc_fast\nalias fs-ext4 ext4\nalias pci:v1d* crc\n",
    softdep: SOFTDEP,
    order: "",
    builtin: "kernel/unix.ko",
    builtinModinfo: "unix.alias=net-pf-1\0",
  });
  return {
    index,
    config: parseModprobeConfig([
      { name: "a.conf", text: config },
      { name: "modules.softdep", text: SOFTDEP },
    ]),
  };
}

function show(action: ModuleAction): string {
  if (action.do === "load")
    return [action.name, action.parameters, action.required ? "" : "(soft)"].filter(Boolean).join(" ");
  return action.do === "install" ? `${action.name}: ${action.command}` : `${action.name} is built in`;
}

function order(given: string, config = "", everySoftdep = false): readonly string[] {
  return resolveModule(source(config), given, everySoftdep).flatMap(({ actions }) => actions.map(show));
}

test("what several modules take, with every soft dependency, is what each of them takes", () => {
  const given = ["ext4", "btrfs", "loop_a", "half", "pci:v1d2", "missing", "net-pf-1"];
  for (const config of ["", "alias ext4 crc\n", "install crc /bin/true\n"]) {
    const each = given.flatMap((name) => resolveModule(source(config), name, true)).flatMap(({ actions }) => actions);
    expect([...namesToLoad(source(config), given)].sort()).toEqual([...new Set(each.map(({ name }) => name))].sort());
  }
});

describe("in the order of modprobe", () => {
  test("dependencies, the last of modules.dep first, each with its soft dependencies before it", () => {
    expect(order("ext4")).toEqual(["mbcache", "jbd2", "crc (soft)", "crc_fast (soft)", "ext4"]);
  });

  test("an alias leads to all of its modules, each a target of its own", () => {
    expect(resolveModule(source(), "crypto-crc32c").map(({ name, alias }) => [name, alias])).toEqual([
      ["crc", "crypto_crc32c"],
      ["crc_fast", "crypto_crc32c"],
    ]);
  });

  test("only the first softdep line is used, unless all are requested", () => {
    expect(order("btrfs")).toEqual(["crc (soft)", "btrfs"]);
    expect(order("btrfs", "", true)).toEqual(["crc (soft)", "sha256 (soft)", "btrfs"]);
  });

  test("soft dependencies in a circle come to an end", () => {
    expect(order("loop-a")).toEqual(["loop_a", "loop_b (soft)"]);
  });
});

describe("the configuration", () => {
  test("gives parameters to a module by its name and by the requested alias", () => {
    expect(order("crc", "options crc a=1\noptions crc b=2\noptions other c=3")).toEqual(["crc a=1 b=2"]);
    expect(order("mine", "alias mine crc\noptions mine a=1")).toEqual(["crc a=1"]);
  });

  test("has aliases that precede the modules' own names", () => {
    expect(order("ext4", "alias ext? unix")).toEqual(["unix is built in"]);
  });

  test("blacklists a module for its aliases, not for its name", () => {
    const blacklisted = (given: string) =>
      resolveModule(source("blacklist crc"), given).map((target) => target.blacklisted);
    expect(blacklisted("pci:v1d2")).toEqual([true]);
    expect(blacklisted("crypto-crc32c")).toEqual([true, false]);
    expect(blacklisted("crc")).toEqual([false]);
  });

  test("replaces a module by a command, but not one with soft dependencies, as kmod", () => {
    expect(order("jbd2", "install jbd2 /bin/true")).toEqual(["jbd2: /bin/true"]);
    expect(order("ext4", "install ext4 /bin/false").at(-1)).toBe("ext4");
    expect(order("virtual", "install virtual /bin/true")).toEqual(["virtual: /bin/true"]);
  });
});

test("built-in modules are found by name and by alias; an unknown one is not found", () => {
  expect(order("unix")).toEqual(["unix is built in"]);
  expect(order("net-pf-1")).toEqual(["unix is built in"]);
  for (const given of ["", "nosuch", "a[", "pci:v2d1"]) expect(resolveModule(source(), given)).toEqual([]);
});

test("a missing dependency is named", () => {
  const [target] = resolveModule(source(), "half");
  expect(target?.missing).toEqual(["nowhere"]);
  expect(target?.actions.map(show)).toEqual(["half"]);
});
