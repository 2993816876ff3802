import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseSums } from "../../../../src/formats/checks/sums-file.ts";

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const parse = (text: string, digits = 32) => parseSums(Buffer.from(text), digits);

test("lines of md5sum, in text and binary mode, with ./ in front, and of --tag", () => {
  const text = `# comment\n${MD5}  ./live/a.squashfs\n${MD5.toUpperCase()} *b c\r\nMD5 (d) = ${MD5}\n\n`;
  expect(parse(text)).toEqual([
    { hex: MD5, path: "live/a.squashfs" },
    { hex: MD5, path: "b c" },
    { hex: MD5, path: "d" },
  ]);
});

test("escaped names", () => {
  expect(parse(`\\${MD5}  a\\nb\\\\c\n`)).toEqual([{ hex: MD5, path: "a\nb\\c" }]);
});

test("another digest, no name, a name that leads out of the medium: skipped", () => {
  expect(parse(`${MD5}  a\n${MD5}\n${MD5}  ../a\n${MD5}  ./\n${MD5}  a/../../b\nnonsense\n`, 40)).toEqual([]);
  expect(parse(`${MD5}\n${MD5}  ../a\n${MD5}  ./\n${MD5}  a/../../b\nnonsense\n`)).toEqual([]);
});

test("any text is read in a short time, and no path leads out", () => {
  const line = fc.oneof(fc.string(), fc.constantFrom(`${MD5}  a`, `\\${MD5}  b\\`, `MD5 (x) = ${MD5}`, `${MD5} *../x`));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 50 }), (lines) => {
      for (const { path } of parse(lines.join("\n"))) expect(path.split("/")).not.toContain("..");
    }),
    { numRuns: 1000 },
  );
  expect(parse(" ".repeat(1 << 20))).toEqual([]);
});
