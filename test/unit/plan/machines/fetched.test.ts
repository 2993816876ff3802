import { expect, test } from "bun:test";
import { parseFetched } from "../../../../src/plan/machines/fetched.ts";

const URL = "http://192.0.2.1/levain.toml";
const IDENTITY = { macs: ["52:54:00:00:00:01"], uuid: null, serial: "PF1ABC", product: "Product", hostname: "node7" };

const parse = (text: string, timeOfDayMs = 0) =>
  parseFetched(`${text}\nparameters = ["quiet"]`, URL, { identity: IDENTITY, timeOfDayMs });

test("only names what the machine is, and not the host name that a DHCP server gives it", () => {
  for (const name of ["52-54-00-00-00-01", "pf1abc", "Product"]) expect(parse(`only = ["${name}"]`)).toEqual(["quiet"]);
  expect(() => parse('only = ["node7"]')).toThrow();
  expect(() => parse("only = []")).toThrow();
});

test("a file counts to the end of its last day, in UTC", () => {
  const endMs = Date.UTC(2027, 3, 1);
  expect(parse('expires = "2027-03-31"', endMs - 1)).toEqual(["quiet"]);
  expect(() => parse('expires = "2027-03-31"', endMs)).toThrow();
});

test("a server decides nothing about failures: neither a shell, nor a wait, nor where a log is written", () => {
  for (const word of [
    "rdshell=1",
    "rd.emergency=shell",
    "rd.emergency.after=600",
    "panic=0",
    "rd.log.save=/dev/sda1",
  ]) {
    expect(() => parseFetched(`parameters = ["${word}"]`, URL, { identity: IDENTITY, timeOfDayMs: 0 })).toThrow(
      "cannot be used",
    );
  }
});
