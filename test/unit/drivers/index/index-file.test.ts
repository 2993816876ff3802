import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AliasTable } from "../../../../src/drivers/index/alias-table.ts";
import { formatIndex, parseIndex } from "../../../../src/drivers/index/index-file.ts";
import { buildModuleIndex, findModule, isBuiltin, listModules } from "../../../../src/drivers/index/module-index.ts";

const INDEX = buildModuleIndex("6.1.0", {
  dep: "kernel/b-1.ko: kernel/c.ko kernel/a.ko\nkernel/a.ko:\nkernel/c.ko:\n",
  alias: "alias pci:v*d1* b-1\nalias fs-x a\nalias pci:v2d* c\n",
  softdep: "softdep a pre: c\n",
  order: "kernel/c.ko\nkernel/b-1.ko\n",
  builtin: "kernel/unix.ko\nkernel/net-1.ko\n",
  builtinModinfo: "unix.alias=net-pf-1\0",
});

describe("an index", () => {
  test("finds modules by name", () => {
    expect(findModule(INDEX, "b_1")).toEqual({ name: "b_1", path: "kernel/b-1.ko", dependencies: ["c", "a"] });
    for (const name of ["b-1", "b", "", "__proto__", "kernel/a.ko"]) expect(findModule(INDEX, name)).toBeNull();
  });

  test("knows the built-in modules", () => {
    expect(isBuiltin(INDEX, "unix")).toBe(true);
    expect(isBuiltin(INDEX, "net_1")).toBe(true);
    for (const name of ["uni", "unix2", "", "a"]) expect(isBuiltin(INDEX, name)).toBe(false);
  });

  test("lists them in the order of modules.order, others last", () => {
    expect(listModules(INDEX).map(({ name }) => name)).toEqual(["c", "b_1", "a"]);
  });
});

describe("its file", () => {
  test("read again is the same", () => {
    const { aliases } = INDEX;
    const read = new Map([...aliases.keys()].map((bus) => [bus, aliases.get(bus)]));
    expect(parseIndex(formatIndex(INDEX))).toEqual({ ...INDEX, aliases: read as AliasTable });
  });

  test("is rejected if it is truncated anywhere, or is something else", () => {
    const text = formatIndex(INDEX);
    for (let length = 0; length < text.length; length += 1) expect(parseIndex(text.slice(0, length))).toBeNull();
    expect(parseIndex(text.replace("levain-modules 1", "levain-modules 2"))).toBeNull();
    expect(parseIndex("{}")).toBeNull();
  });

  test("with any content is no error", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom("modules 3", "alias pci 5 4", "\n", "999999999"));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const read = parseIndex(`levain-modules 1 v\n${parts.join("")}\nend 0\n`);
        return read === null || findModule(read, "a") !== undefined;
      }),
    );
  });
});
