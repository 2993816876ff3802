import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isRackFile, parseRackFile } from "../../../src/parameters/dialects/rack-file.ts";
import { findParameters } from "../../../src/parameters/parameters.ts";
import { splitParameter } from "../../../src/parameters/read-parameters.ts";

const UUID = "0f6f4b5c:1d2e3f40:51627384:95a6b7c8";
const PLAIN = "0f6f4b5c-1d2e-3f40-5162-738495a6b7c8";

describe("each key stands for parameters", () => {
  test.each([
    ["MODULES=e1000 aoe", ["rd.driver.pre=e1000", "rd.driver.pre=aoe"]],
    ['MODULES="e1000 aoe" # drivers', ["rd.driver.pre=e1000", "rd.driver.pre=aoe"]],
    ["export AOE_IFACES='eth1'", ["rd.aoe=eth1"]],
    ["AOE_IFACES=eth1 eth2", ["rd.aoe=eth1,eth2"]],
    [`RAID=${UUID}`, [`rd.md.uuid=${PLAIN}`]],
    [`RAID0="/dev/md0 UUID=${UUID}"`, [`rd.md.uuid=${PLAIN}`]],
    [`RAID_UUID=${UUID},${UUID}`, [`rd.md.uuid=${PLAIN}`, `rd.md.uuid=${PLAIN}`]],
    ["ROOT=/dev/md0\nINIT=/bin/sh\nIP=dhcp", ["root=/dev/md0", "init=/bin/sh", "ip=dhcp"]],
    ["# a comment\n\nRAID=\n", []],
  ] satisfies readonly (readonly [string, string[]])[])("%s", (text, parameters) => {
    expect(parseRackFile(text)).toEqual({ parameters, mistakes: [] });
  });
});

test("what it does not know is named", () => {
  expect(parseRackFile("COLOUR=red\nAOE_IFACES=eth1\nsleep 5\nRAID=md0\nMODULES=$(list)").mistakes).toEqual([
    "COLOUR= is not known",
    '"sleep 5" is no assignment',
    "RAID= cannot be md0",
    "MODULES= cannot be $(list)",
  ]);
});

test("a part of levain.toml is no such file", () => {
  expect(isRackFile('parameters = ["rw"]')).toBe(false);
  expect(isRackFile("")).toBe(false);
  expect(isRackFile("MODULES=e1000\n")).toBe(true);
});

test("any text gives known parameters, and says what it is not", () => {
  const word = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("eth1", UUID, "aoe", "'", '"'));
  const line = fc.tuple(
    fc.constantFrom("MODULES=", "AOE_IFACES=", "RAID1=", "IP=", "X=", ""),
    fc.array(word, { maxLength: 4 }),
  );
  const text = fc.array(line.map(([key, words]) => key + words.join(" "))).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, (given) => {
      const { parameters, mistakes } = parseRackFile(given);
      for (const one of parameters) {
        expect(findParameters(splitParameter(one).name)).not.toEqual([]);
        expect(one).not.toMatch(/\s/);
      }
      for (const one of mistakes) expect(one).not.toMatch(/\p{Cc}/u);
    }),
  );
});
