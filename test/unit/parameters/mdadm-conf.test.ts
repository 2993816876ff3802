import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseMdadmConf } from "../../../src/parameters/dialects/mdadm-conf.ts";
import { readParameters, splitParameter } from "../../../src/parameters/read-parameters.ts";

const UUID = "0f6f4b5c:1d2e3f40:51627384:95a6b7c8";

test("the forms of mdadm.conf(5)", () => {
  const text = `
# a comment
DEVICE partitions containers
HOMEHOST <system>
MAILADDR root
arr /dev/md0 level=raid1 UUID=${UUID} # the root
ARRAY /dev/md/data metadata=1.2 name="host:the data"
	UUID=${UUID}
ARRAY <ignore> UUID=${UUID}
ARRAY /dev/md3 super-minor=3
`;
  expect(parseMdadmConf(text)).toEqual({
    parameters: [`rd.md.name=md0:${UUID}`, `rd.md.name=data:${UUID}`],
    ignored: ["ARRAY /dev/md3 super-minor=3 has no UUID", `ARRAY <ignore> UUID=${UUID}`],
  });
});

test.each([
  ["AUTO -all", true],
  ["AUTO -imsm -all", true],
  ["AUTO homehost -all", false],
  ["AUTO +1.x -all", false],
  ["AUTO +all", false],
])("%s restricts what is started to the arrays in the file: %p", (rules, isRestricted) => {
  const { parameters } = parseMdadmConf(`${rules}\nARRAY /dev/md0 UUID=${UUID}\n`);
  expect(parameters.includes(`rd.md.uuid=${UUID}`)).toBe(isRestricted);
});

test("any text gives parameters without mistakes", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom(
      "ARRAY",
      "AUTO",
      "-all",
      `UUID=${UUID}`,
      "/dev/md0",
      "/dev/md/..",
      "/dev/md/a:b",
      "\nARRAY",
      "\n",
      "#",
      '"',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const { parameters } = parseMdadmConf(words.join(" "));
      const { mistakes } = readParameters([{ origin: "mdadm.conf", words: parameters.map(splitParameter) }]);
      expect(mistakes).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
