import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { normaliseName, parseCommandLine } from "../../../src/parameters/cmdline.ts";
import { cpuMs } from "../../support/cpu-time.ts";

const parse = (line: string | Uint8Array) => parseCommandLine(line).words.map(({ name, value }) => [name, value]);

/**
 * What `next_arg` of lib/cmdline.c does with each line, found by running it; the parser was also compared with it on
 * 200,000 random lines of quotes, equals signs, blanks, dashes and bytes above 0x7f, without a difference.
 */
const LINES: readonly (readonly [string, readonly (readonly [string, string | null])[]])[] = [
  ["", []],
  [" \t\r\v\f\n", []],
  ["quiet", [["quiet", null]]],
  [
    "  a  b\tc\n",
    [
      ["a", null],
      ["b", null],
      ["c", null],
    ],
  ],
  ["root=LABEL=X", [["root", "LABEL=X"]]],
  ["a=", [["a", ""]]],
  ['a=""', [["a", ""]]],
  [
    'a="b c" d',
    [
      ["a", "b c"],
      ["d", null],
    ],
  ],
  [
    'root="LABEL=My Disk" ro',
    [
      ["root", "LABEL=My Disk"],
      ["ro", null],
    ],
  ],
  // In the middle of a value quotes keep the spaces and stay where they are.
  [
    'root=LABEL="My Disk" ro',
    [
      ["root", 'LABEL="My Disk"'],
      ["ro", null],
    ],
  ],
  [
    'a=b"c d"e f',
    [
      ["a", 'b"c d"e'],
      ["f", null],
    ],
  ],
  // A value that only begins with a quote loses that one.
  [
    'a="b"c d',
    [
      ["a", 'b"c'],
      ["d", null],
    ],
  ],
  // A quote at the front of the word: it and the last one go.
  [
    '"a=b c" d',
    [
      ["a", "b c"],
      ["d", null],
    ],
  ],
  [
    '"a b" c',
    [
      ["a b", null],
      ["c", null],
    ],
  ],
  [
    '"a b"c d',
    [
      ['a b"c', null],
      ["d", null],
    ],
  ],
  [
    '"a="b c"" d',
    [
      ["a", "b"],
      ['c""', null],
      ["d", null],
    ],
  ],
  // An open quote runs to the end.
  ['a="b c d', [["a", "b c d"]]],
  ['"a b', [["a b", null]]],
  [
    'a b"c d',
    [
      ["a", null],
      ['b"c d', null],
    ],
  ],
  ['a="', [["a", ""]]],
  ['"', [["", null]]],
  ['""', [["", null]]],
  [
    '"" x',
    [
      ["", null],
      ["x", null],
    ],
  ],
  // An equals sign at the front is part of the name.
  ["=", [["=", null]]],
  ["=a", [["=a", null]]],
  ["==a", [["=", "a"]]],
  ["=a=b", [["=a", "b"]]],
  // There are no escapes.
  [
    "a=b\\ c",
    [
      ["a", "b\\"],
      ["c", null],
    ],
  ],
  ["---", [["---", null]]],
  ["--=x", [["--", "x"]]],
  ["a.b-c=1", [["a.b-c", "1"]]],
];

describe("words are split as by the kernel's next_arg", () => {
  for (const [line, words] of LINES) {
    test(JSON.stringify(line), () => {
      expect(parse(line)).toEqual(words.map((word) => [...word]));
    });
  }
});

describe("--", () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["a -- b c=d", ["a"], ["b", "c=d"]],
    ["a --", ["a"], []],
    ["-- quiet root=x", [], ["quiet", "root=x"]],
    ['a -- "b c" d="e f"', ["a"], ["b c", "d=e f"]],
    // parse_args stops at a second one, and the kernel never looks at what is after it.
    ["a -- b -- c", ["a"], ["b"]],
    ['a "--" b', ["a"], ["b"]],
    ["a --b c", ["a", "--b", "c"], []],
  ];
  for (const [line, words, initArguments] of cases) {
    test(line, () => {
      const parsed = parseCommandLine(line);
      expect(parsed.words.map(({ text }) => text)).toEqual([...words]);
      expect(parsed.initArguments).toEqual([...initArguments]);
    });
  }
});

describe("text", () => {
  test("is the word as the kernel passes it on, without quotes around the value", () => {
    expect(parseCommandLine('FOO="a b" "BAR=c d" baz').words.map(({ text }) => text)).toEqual([
      "FOO=a b",
      "BAR=c d",
      "baz",
    ]);
  });

  test("is UTF-8", () => {
    expect(parse("root=LABEL=Größe→")).toEqual([["root", "LABEL=Größe→"]]);
  });

  test("has bytes that are not UTF-8 as \\xNN, like a label", () => {
    const line = Uint8Array.of(...Buffer.from("a="), 0xff, 0x62, 0xc3, 0x28, 0xe2, 0x82);
    expect(parse(line)).toEqual([["a", "\\xffb\\xc3(\\xe2\\x82"]]);
  });

  test("keeps valid UTF-8 beside them, and a byte order mark", () => {
    const line = Uint8Array.of(...Buffer.from("a=ö→😀"), 0xff, ...Buffer.from("ö b=\ufeffc"));
    expect(parse(line)).toEqual([
      ["a", "ö→😀\\xffö"],
      ["b", "\ufeffc"],
    ]);
  });

  test("ends at a NUL", () => {
    expect(parse("a=b\0c d")).toEqual([["a", "b"]]);
  });

  test("lacks the newline of /proc/cmdline", () => {
    expect(parse('a "b=c d\n')).toEqual([
      ["a", null],
      ["b", "c d"],
    ]);
    expect(parse("a\n\0")).toEqual([["a", null]]);
    expect(parse('"a\nb\n\n')).toEqual([["a\nb\n", null]]);
  });

  test("is split at 0xA0 as by the kernel, but not in quotes", () => {
    expect(parse("a=à b")).toEqual([
      ["a", "\\xc3"],
      ["b", null],
    ]);
    expect(parse('a="à b"')).toEqual([["a", "à b"]]);
    expect(parse("a\u00a0b")).toEqual([
      ["a\\xc2", null],
      ["b", null],
    ]);
  });
});

test("- and _ in names are equal", () => {
  expect(normaliseName("rd.driver-pre")).toBe(normaliseName("rd.driver_pre"));
  expect(normaliseName("Root")).not.toBe(normaliseName("root"));
});

describe("properties", () => {
  test("any bytes are accepted, and every word has at least one byte", () => {
    const check = (bytes: Uint8Array) => {
      const { words, initArguments } = parseCommandLine(bytes);
      expect(words.length + initArguments.length).toBeLessThanOrEqual(bytes.length);
      for (const { name, value, text } of words) expect(text).toBe(value === null ? name : `${name}=${value}`);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check));
  });

  test("quoted words are unchanged", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,10}$/);
    const value = fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !/["\0]/.test(text));
    const check = (pairs: readonly (readonly [string, string])[]) => {
      const line = pairs.map(([key, text]) => `${key}="${text}"`).join(" ");
      expect(parse(line)).toEqual(pairs.map((pair) => [...pair]));
    };
    fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), check));
  });

  test("a long line is parsed quickly", () => {
    const startMs = cpuMs();
    expect(parse('a="b c" '.repeat(50_000)).length).toBe(50_000);
    expect(parse('"'.repeat(100_001)).length).toBe(1);
    expect(cpuMs() - startMs).toBeLessThan(3000);
  });
});
