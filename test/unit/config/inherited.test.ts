import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../src/config/cmdline.ts";
import { type Inherited, parseInherited, passOn } from "../../../src/config/inherited.ts";

const BASE = ["HOME=/", "TERM=linux"];
const pass = (line: string, inherited: Inherited | null = null, more: readonly string[] = []) =>
  passOn(parseCommandLine(line), inherited, more);

describe("what the kernel gave reaches init", () => {
  test("as it is, but for our own words", () => {
    const argv = ["splash", "toram", "copytoram", "single", "s", "3", "emergency", "rdshell"];
    const environment = [
      ...BASE,
      "BOOT_IMAGE=/vmlinuz",
      "FOO=a b",
      "rootfallback=LABEL=x",
      "cow-spacesize=1M",
      "EMPTY=",
    ];
    expect(pass("whatever the=line is", { argv, environment })).toEqual({
      argv: ["splash", "single", "s", "3", "emergency"],
      environment: [...BASE, "BOOT_IMAGE=/vmlinuz", "FOO=a b", "EMPTY="],
    });
  });

  test("and what comes after -- untouched, init_args= before it", () => {
    const inherited = { argv: ["splash", "toram", "toram", "rdshell", "root=x"], environment: BASE };
    expect(pass("splash toram -- toram rdshell root=x", inherited, ["-a"]).argv).toEqual([
      "splash",
      "-a",
      "toram",
      "rdshell",
      "root=x",
    ]);
  });

  test("where a bootconfig adds arguments", () => {
    const inherited = { argv: ["splash", "toram", "-x", "from-bootconfig"], environment: BASE };
    expect(pass("splash toram -- -x", inherited).argv).toEqual(["splash", "-x", "from-bootconfig"]);
  });

  test("where the kernel gave less than the line says", () => {
    expect(pass("-- a b", { argv: ["b"], environment: [] })).toEqual({ argv: ["b"], environment: [] });
  });

  test("from /proc/self/cmdline and environ", () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(parseInherited(bytes("/init\0a b\0\0c\0"), bytes("HOME=/\0A=ß\0\0B=\xff"))).toEqual({
      argv: ["a b", "", "c"],
      environment: ["HOME=/", "A=ß", "B=ÿ"],
    });
    expect(parseInherited(bytes(""), Uint8Array.of(0x41, 0x3d, 0xff))).toEqual({ argv: [], environment: ["A=\\xff"] });
  });
});

describe("on a desk the kernel's part is played", () => {
  test.each([
    ["splash 3 quiet ro console=ttyS0 no-console-suspend", ["splash", "3"], BASE],
    ["a.b c.d=e FOO=a.b", [], [...BASE, "FOO=a.b"]],
    ["FOO=1 BAR=2 FOO=3", [], [...BASE, "FOO=3", "BAR=2"]],
    ["TERM=vt100", [], ["HOME=/", "TERM=vt100"]],
    ["auto FOO=1 init=/bin/sh splash", ["splash"], [...BASE, "FOO=1"]],
    ["auto rdinit=/x splash", ["splash"], BASE],
    ['FOO="a b" "c d" -- "e f"', ["c d", "e f"], [...BASE, "FOO=a b"]],
    ["toram root=LABEL=x splash -- toram", ["splash", "toram"], BASE],
  ])("%s", (line, argv, environment) => {
    expect(pass(line)).toEqual({ argv, environment });
  });

  test("so that nothing but its own words reaches init, on any line", () => {
    const check = (bytes: Uint8Array) => {
      const line = parseCommandLine(bytes);
      const texts = new Set([...BASE, ...line.words.map(({ text }) => text), ...line.initArguments]);
      const { argv, environment } = passOn(line, null, []);
      for (const text of [...argv, ...environment]) expect(texts).toContain(text);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check));
  });
});
