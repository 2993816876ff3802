import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../../src/parameters/cmdline.ts";
import { type Inherited, parseInherited, passOn } from "../../../src/parameters/inherited.ts";

const BASE = ["HOME=/", "TERM=linux"];
const pass = (line: string, inherited: Inherited | null = null, more: readonly string[] = []) =>
  passOn(parseCommandLine(line), inherited, more);

describe("what the kernel passes to levain reaches init", () => {
  test("unchanged, without levain's own parameters", () => {
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

  test("with the arguments after -- unchanged, init_args= before them", () => {
    const inherited = { argv: ["splash", "toram", "toram", "rdshell", "root=x"], environment: BASE };
    expect(pass("splash toram -- toram rdshell root=x", inherited, ["-a"]).argv).toEqual([
      "splash",
      "-a",
      "toram",
      "rdshell",
      "root=x",
    ]);
  });

  test("if a bootconfig adds arguments", () => {
    const inherited = { argv: ["splash", "toram", "-x", "from-bootconfig"], environment: BASE };
    expect(pass("splash toram -- -x", inherited).argv).toEqual(["splash", "-x", "from-bootconfig"]);
  });

  test("if the kernel passes less than the command line has", () => {
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

describe("outside the initramfs, levain stands in for the kernel", () => {
  test.each([
    ["splash 3 quiet ro console=ttyS0 no-console-suspend", ["splash", "3"], BASE],
    ["a.b c.d=e FOO=a.b", [], [...BASE, "FOO=a.b"]],
    ["FOO=1 BAR=2 FOO=3", [], [...BASE, "FOO=3", "BAR=2"]],
    ["BOOT_IMAGE=/vmlinuz splash", ["splash"], BASE],
    ["TERM=vt100", [], ["HOME=/", "TERM=vt100"]],
    ["auto FOO=1 init=/bin/sh splash", ["splash"], [...BASE, "FOO=1"]],
    ["auto rdinit=/x splash", ["splash"], BASE],
    ['FOO="a b" "c d" -- "e f"', ["c d", "e f"], [...BASE, "FOO=a b"]],
    ["toram root=LABEL=x splash -- toram", ["splash", "toram"], BASE],
  ])("%s", (line, argv, environment) => {
    expect(pass(line)).toEqual({ argv, environment });
  });

  test("as Debian's kernel 6.1 did in QEMU", () => {
    const line =
      'console=ttyS0 quiet panic=1 splash 3 FOO=1 BAR="a b" "q r" FOO=2 x.y a.b=c FOO2=a.b TERM=vt100 "BAZ=c d" e"f g"h =i ==j ' +
      'mid=k"l m"n empty= emptyq="" a-b a_b=1 A-B=2 BOOT_IMAGE=/vmlinuz -- quiet "x y" z=1 -- lost\n';
    expect(pass(line).argv).toEqual(["splash", "3", "q r", 'e"f g"h', "=i", "a-b", "quiet", "x y", "z=1"]);
    const environment = ["FOO=2", "BAR=a b", "FOO2=a.b", "BAZ=c d", "==j", 'mid=k"l m"n', "empty=", "emptyq="];
    expect(pass(line).environment).toEqual(["HOME=/", "TERM=vt100", ...environment, "a_b=1", "A-B=2"]);
    expect(pass('auto init=/bin/sh s emergency rw "--" kept "op=en end\n').argv).toEqual([
      "s",
      "emergency",
      "kept",
      "op=en end",
    ]);
  });

  test("so that only its own parameters reach init, on any command line", () => {
    const check = (bytes: Uint8Array) => {
      const line = parseCommandLine(bytes);
      const texts = new Set([...BASE, ...line.words.map(({ text }) => text), ...line.initArguments]);
      const { argv, environment } = passOn(line, null, []);
      for (const text of [...argv, ...environment]) expect(texts).toContain(text);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check));
  });
});
