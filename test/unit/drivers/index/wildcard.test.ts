import { dlopen } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { matchesWildcard } from "../../../../src/drivers/index/wildcard.ts";
import { cpuMs } from "../../../support/cpu-time.ts";

describe("patterns as in fnmatch(3)", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["", "", true],
    ["*", "", true],
    ["?", "", false],
    ["pci:v00008086d*sv*sd*bc01sc06i01*", "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", true],
    ["pci:v00008086d*sv*sd*bc01sc06i01*", "pci:v00008086d00002922sv00001AF4sd00001100bc01sc07i01", false],
    ["usb:v0D96p410Ad[1-9]*dc*", "usb:v0D96p410Ad5000dc00", true],
    ["usb:v0D96p410Ad[1-9]*dc*", "usb:v0D96p410Ad0500dc00", false],
    ["a[!b-d]e", "axe", true],
    ["a[!b-d]e", "ace", false],
    ["a[^b]e", "abe", false],
    ["[]]", "]", true],
    ["[!]]", "]", false],
    ["[a-]", "-", true],
    ["[a-", "[a-", false],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
    ["*/?", "a/b/c", true],
    ["a*b*a", "aba", true],
    ["a*a", "a", false],
  ];
  test.each(cases)("%j on %j: %p", (pattern, text, result) => expect(matchesWildcard(pattern, text)).toBe(result));
});

/** Slow and plain: every way that a "*" could go is tried. */
function matchesByTrying(pattern: string, text: string): boolean {
  const [first, ...rest] = [...pattern];
  const tail = rest.join("");
  if (first === undefined) return text === "";
  if (first === "*") return matchesByTrying(tail, text) || (text !== "" && matchesByTrying(pattern, text.slice(1)));
  return text !== "" && (first === "?" || first === text[0]) && matchesByTrying(tail, text.slice(1));
}

test("any pattern of *, ? and letters matches what an exhaustive search finds", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (a, b) => matchesWildcard(a, b) === matchesByTrying(a, b)),
    { numRuns: 2000 },
  );
});

test("libc's fnmatch(3), which kmod uses, agrees on any pattern without classes", () => {
  const { symbols } = dlopen("libc.so.6", { fnmatch: { args: ["cstring", "cstring", "i32"], returns: "i32" } });
  const real = (pattern: string, text: string) =>
    symbols.fnmatch(Buffer.from(`${pattern}\0`), Buffer.from(`${text}\0`), 0) === 0;
  const made = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 9 });
  fc.assert(
    fc.property(made("abc*?[]!^-\\09/"), made("abc-]\\05/[!"), (pattern, text) => {
      expect([pattern, text, matchesWildcard(pattern, text)]).toEqual([pattern, text, real(pattern, text)]);
    }),
    {
      numRuns: 20_000,
      examples: [
        ["[a-", "[a-"],
        ["*[^\\]", "-5[b"],
        ["*\\", "b\\"],
        ["[a\\]]", "]"],
        ["[b-a]", "b"],
      ],
    },
  );
});

test("any text gets an answer in a short time", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => typeof matchesWildcard(a, b) === "boolean"));
  const startMs = cpuMs();
  expect(matchesWildcard(`${"a*".repeat(50)}?b`, "a".repeat(2000))).toBe(false);
  expect(cpuMs() - startMs).toBeLessThan(500);
});
