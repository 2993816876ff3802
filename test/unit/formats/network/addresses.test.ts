import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  formatAddress,
  formatMac,
  isInPrefix,
  netmaskOf,
  parseAddress,
  parseMac,
  prefixOfNetmask,
} from "../../../../src/formats/network/addresses.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:5", "2001:db8::5"],
  ["::", "::"],
  ["::1", "::1"],
  ["fe80::", "fe80::"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["::ffff:192.0.2.1", "::ffff:c000:201"],
])("%s is %s (RFC 5952)", (text, expected) => {
  expect(formatAddress(parseAddress(text) ?? new Uint8Array(4))).toBe(expected);
});

test.each(
  "1.2.3 1.2.3.256 01.2.3.4 1.2.3.4.5 1..2.3 ::1::2 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7::8 12345:: g:: fe80::1%eth0 :::".split(
    " ",
  ),
)("%s is no address", (text) => expect(parseAddress(text)).toBeNull());

test("what is formatted is parsed", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(address, (bytes) => expect(parseAddress(formatAddress(bytes))).toEqual(bytes)));
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(fc.property(mac, (bytes) => expect(parseMac(formatMac(bytes))).toEqual(bytes)));
  for (let prefix = 0; prefix <= 32; prefix++) expect(prefixOfNetmask(netmaskOf(prefix))).toBe(prefix);
  expect(prefixOfNetmask(Uint8Array.of(255, 0, 255, 0))).toBeNull();
});

test("prefixes", () => {
  const at = (text: string) => parseAddress(text) ?? new Uint8Array();
  expect(isInPrefix(at("192.0.2.5"), at("192.0.2.1"), 24)).toBe(true);
  expect(isInPrefix(at("192.0.3.5"), at("192.0.2.1"), 24)).toBe(false);
  expect(isInPrefix(at("192.0.3.5"), at("192.0.2.1"), 23)).toBe(true);
  expect(isInPrefix(at("192.0.2.1"), at("2001:db8::"), 0)).toBe(false);
});
