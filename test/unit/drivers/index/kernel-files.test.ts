import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  parseAliases,
  parseBuiltinAliases,
  parseDependencies,
  parsePathList,
  parseSoftDependency,
  readLines,
} from "../../../../src/drivers/index/kernel-files.ts";

describe("modules.dep", () => {
  test("names, paths and dependencies", () => {
    const text = "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc-16.ko\nkernel/fs/jbd2/jbd2.ko.xz:\n";
    expect(parseDependencies(text)).toEqual([
      { name: "ext4", path: "kernel/fs/ext4/ext4.ko", dependencies: ["jbd2", "crc_16"] },
      { name: "jbd2", path: "kernel/fs/jbd2/jbd2.ko.xz", dependencies: [] },
    ]);
  });

  test("of two files with the same name the first is used; other lines are skipped", () => {
    const text = "updates/a.ko:\nkernel/a.ko: kernel/b.ko\n\nno colon\n: x\n# kernel/c.ko:\n";
    expect(parseDependencies(text)).toEqual([{ name: "a", path: "updates/a.ko", dependencies: [] }]);
  });
});

test("modules.alias, also with blanks in a vendor's string", () => {
  const text =
    "# made by depmod\nalias fs-ext4 ext4\nalias dmi*:svn Some Vendor Inc.:* some-driver\nalias x[ y\nalias z\n";
  expect(parseAliases(text)).toEqual([
    { pattern: "fs_ext4", module: "ext4" },
    { pattern: "dmi*:svn Some Vendor Inc.:*", module: "some_driver" },
  ]);
});

test("softdep: words before pre: and post: are ignored", () => {
  expect(parseSoftDependency("a-b", ["lost", "pre:", "c-d", "e", "post:", "f", "pre:", "g"])).toEqual({
    pattern: "a_b",
    pre: ["c-d", "e", "g"],
    post: ["f"],
  });
});

test("lists of paths, and continued lines", () => {
  expect(parsePathList("kernel/net/unix/unix.ko\n\n# no\nkernel/crypto/md-5.ko\n")).toEqual(["unix", "md_5"]);
  expect(readLines("options a \\\n  b=1\n#c\n d \n")).toEqual(["options a   b=1", "d"]);
});

test("modules.builtin.modinfo gives the aliases", () => {
  const text = "unix.license=GPL\0unix.alias=net-pf-1\0unix.alias=a=b\0.alias=x\0bad[.alias=]\0tail";
  expect(parseBuiltinAliases(text)).toEqual([
    { pattern: "net_pf_1", module: "unix" },
    { pattern: "a=b", module: "unix" },
  ]);
});

test("any text is read without an error, and no result is empty", () => {
  const lines = fc.array(fc.oneof(fc.string(), fc.constantFrom("alias a b", "x/a.ko: b.ko", "a.alias=b\0", "\\")));
  fc.assert(
    fc.property(lines, (parts) => {
      const text = parts.join("\n");
      for (const { name, path } of parseDependencies(text)) expect(name !== "" && path !== "").toBe(true);
      for (const { pattern } of [...parseAliases(text), ...parseBuiltinAliases(text)]) expect(pattern).not.toBe("");
      for (const line of readLines(text)) expect(line).not.toBe("");
      parsePathList(text);
    }),
  );
});
