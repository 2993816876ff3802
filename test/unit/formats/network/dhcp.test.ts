import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeDhcp, OPTION, parseDhcp } from "../../../../src/formats/network/dhcp-packet.ts";
import { parseLease } from "../../../../src/formats/network/lease.ts";
import { encodeUdp, parseUdp } from "../../../../src/formats/network/udp-packet.ts";
import { makeReply } from "../../../support/fake-dhcp-server.ts";

const MAC = "52:54:00:12:34:56";
const MAC_BYTES = Uint8Array.fromHex(MAC.replaceAll(":", ""));
const TRANSACTION = Uint8Array.of(1, 2, 3, 4);
const text = (value: string) => [...Buffer.from(value, "latin1")];

function reply(options: Readonly<Record<number, readonly number[]>> = {}, file = "") {
  const packet = makeReply(
    { transaction: TRANSACTION, mac: MAC },
    { type: 5, server: "192.0.2.1", address: "192.0.2.50", options, file },
  );
  return parseUdp(packet)?.payload ?? new Uint8Array();
}

function lease(options: Readonly<Record<number, readonly number[]>> = {}, file = "") {
  const message = parseDhcp(reply(options, file), MAC_BYTES);
  return message && parseLease(message);
}

test("a message of the client", () => {
  const bytes = encodeDhcp({
    type: "discover",
    transaction: 0x01020304,
    seconds: 7,
    mac: MAC_BYTES,
    options: [[OPTION.hostname, new Uint8Array(text("a"))]],
  });
  expect(bytes.length).toBe(300);
  expect(bytes.toHex().slice(0, 24)).toBe("010106000102030400070000");
  expect(bytes.subarray(236, 247).toHex()).toBe("638253633501010c0161ff");
});

test("all that a lease may have", () => {
  const found = lease(
    {
      1: [255, 255, 255, 0],
      3: [192, 0, 2, 1, 192, 0, 2, 2],
      6: [192, 0, 2, 53, 192, 0, 2, 54],
      12: text("host"),
      15: text("example.org\0"),
      17: text("192.0.2.9:/srv/root,vers=3"),
      26: [5, 120],
      28: [192, 0, 2, 255],
      42: [192, 0, 2, 4],
      51: [0, 0, 14, 16],
      66: text("boot.example.org"),
      67: text("pxelinux.0"),
      119: [3, ...text("eng"), 7, ...text("example"), 3, ...text("org"), 0, 3, ...text("lab"), 0xc0, 4],
    },
    "other.img",
  );
  expect(found).toEqual({
    address: "192.0.2.50",
    prefix: 24,
    broadcast: "192.0.2.255",
    routes: [
      { destination: null, gateway: "192.0.2.1" },
      { destination: null, gateway: "192.0.2.2" },
    ],
    nameservers: ["192.0.2.53", "192.0.2.54"],
    domain: "example.org",
    search: ["eng.example.org", "lab.example.org"],
    hostname: "host",
    timeServers: ["192.0.2.4"],
    mtu: 1400,
    rootPath: "192.0.2.9:/srv/root,vers=3",
    bootFile: "pxelinux.0",
    nextServer: "192.0.2.1",
    server: "192.0.2.1",
    seconds: 3600,
  });
});

test("classless routes replace the routers (RFC 3442)", () => {
  const options = {
    1: [255, 255, 255, 255],
    3: [192, 0, 2, 9],
    121: [32, 10, 0, 0, 1, 0, 0, 0, 0, 0, 10, 0, 0, 1, 24, 198, 51, 100, 192, 0, 2, 7],
  };
  expect(lease(options)?.routes).toEqual([
    { destination: { address: "10.0.0.1", prefix: 32 }, gateway: null },
    { destination: null, gateway: "10.0.0.1" },
    { destination: { address: "198.51.100.0", prefix: 24 }, gateway: "192.0.2.7" },
  ]);
  expect(lease({ ...options, 121: [33, 1, 2, 3, 4, 5, 6, 7, 8, 9] })?.routes).toEqual([]);
});

test("what is left out has a default", () => {
  expect(lease()).toMatchObject({ prefix: 24, routes: [], seconds: null, mtu: null, bootFile: null });
  expect(lease({ 51: [255, 255, 255, 255], 26: [0, 20] }, "boot.img")).toMatchObject({
    seconds: null,
    mtu: null,
    bootFile: "boot.img",
  });
});

test("options continue in the fields file and sname (RFC 2132, 9.3)", () => {
  const bytes = reply({ 52: [3] });
  bytes.set([15, 3, ...text("org"), 255], 108);
  bytes.set([26, 2, 5, 120, 255], 44);
  const message = parseDhcp(bytes, MAC_BYTES);
  expect(message && parseLease(message)).toMatchObject({ domain: "org", mtu: 1400, bootFile: null });
});

test("the parts of a long option are joined (RFC 3396)", () => {
  const bytes = reply({ 254: [0] });
  bytes.set([53, 1, 5, 54, 4, 192, 0, 2, 1, 15, 2, ...text("ex"), 0, 15, 3, ...text("amp"), 255], 240);
  const message = parseDhcp(bytes, MAC_BYTES);
  expect(message && parseLease(message)?.domain).toBe("examp");
});

describe("texts that would be read as something else are left out", () => {
  test.each([
    [{ 12: text("a'; reboot '") }, "hostname"],
    [{ 12: text("-n") }, "hostname"],
    [{ 15: text("a b") }, "domain"],
    [{ 15: text("a\nnameserver 1") }, "domain"],
    [{ 17: text("/srv'/x") }, "rootPath"],
    [{ 17: text("/srv\n") }, "rootPath"],
    [{ 17: text('/srv,context="') }, "rootPath"],
    [{ 67: text("\x1b[2J") }, "bootFile"],
  ] as const)("%j", (options, key) => expect(lease(options)?.[key]).toBeNull());

  test.each([[[0xc0, 0]], [[1, 97, 0xc0, 0]], [[3, 97, 0xc0, 0]], [[64, 97]], [[1, 97]]])(
    "a search list %j that is malformed or endless",
    (option) => expect(lease({ 119: option })?.search).toEqual([]),
  );
});

test.each([
  ["no address", { address: "0.0.0.0" }],
  ["a loopback address", { address: "127.0.0.1" }],
  ["a multicast address", { address: "224.0.0.1" }],
])("%s is no lease", (_, changes) => {
  const packet = makeReply(
    { transaction: TRANSACTION, mac: MAC },
    { type: 2, server: "192.0.2.1", options: {}, ...changes },
  );
  const message = parseDhcp(parseUdp(packet)?.payload ?? new Uint8Array(), MAC_BYTES);
  expect(message).not.toBeNull();
  expect(message && parseLease(message)).toBeNull();
});

test("messages for another client, and no messages at all", () => {
  expect(parseDhcp(reply(), Uint8Array.of(1, 2, 3, 4, 5, 6))).toBeNull();
  expect(parseDhcp(reply().subarray(0, 200), MAC_BYTES)).toBeNull();
});

test("any bytes are read without an error", () => {
  const start = reply();
  const damage = fc.array(fc.tuple(fc.nat(start.length - 1), fc.nat(255)), { maxLength: 40 });
  const property = fc.property(damage, fc.nat(start.length), (changes, length) => {
    const bytes = start.slice(0, length);
    for (const [at, value] of changes) if (at < length) bytes[at] = value;
    const message = parseDhcp(bytes, MAC_BYTES);
    if (message !== null) parseLease(message);
  });
  fc.assert(property, { numRuns: 3000 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (option) => {
      for (const code of [1, 3, 6, 12, 17, 26, 51, 119, 121]) lease({ [code]: [...option] });
    }),
  );
});

describe("UDP over IPv4", () => {
  const ends = {
    source: Uint8Array.of(192, 0, 2, 1),
    destination: Uint8Array.of(192, 0, 2, 2),
    sourcePort: 67,
    destinationPort: 68,
  };

  test("what is encoded is parsed, with padding of the link behind it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1400 }), fc.nat(30), (payload, padding) => {
        const packet = encodeUdp({ ...ends, payload });
        expect(parseUdp(Uint8Array.from([...packet, ...new Uint8Array(padding)]))).toEqual({ ...ends, payload });
      }),
    );
  });

  test("fragments, other protocols and a wrong checksum are not read", () => {
    for (const [at, value] of [
      [6, 0x20],
      [9, 6],
      [0, 0x65],
      [0, 0x44],
      [3, 1],
      [10, 0xff],
    ] as const) {
      const packet = encodeUdp({ ...ends, payload: Uint8Array.of(1, 2, 3) });
      packet[at] = value;
      expect(parseUdp(packet)).toBeNull();
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void parseUdp(bytes)));
  });
});
