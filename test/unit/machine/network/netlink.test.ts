import { expect, test } from "bun:test";
import fc from "fast-check";
import * as abi from "../../../../src/machine/network/abi.ts";
import { encodeChange, encodeDump } from "../../../../src/machine/network/change-messages.ts";
import {
  encodeAttributes,
  encodeMessage,
  parseAttributes,
  parseMessages,
  u32,
} from "../../../../src/machine/network/netlink.ts";
import {
  parseAdvertisedDns,
  parseLink,
  parseLinkAddress,
  parseLinkRoute,
} from "../../../../src/machine/network/state-messages.ts";

const PARSERS = [parseLink, parseLinkAddress, parseLinkRoute, parseAdvertisedDns];
const TYPES = [abi.RTM_NEWLINK, abi.RTM_NEWADDR, abi.RTM_NEWROUTE, abi.RTM_NEWNDUSEROPT];

test("messages and attributes are parsed as they were encoded", () => {
  const attribute = fc.tuple(fc.integer({ min: 1, max: abi.NLA_TYPE_MASK }), fc.uint8Array({ maxLength: 40 }));
  const attributes = fc.uniqueArray(attribute, { maxLength: 8, selector: ([type]) => type });
  fc.assert(
    fc.property(attributes, fc.uint8Array({ minLength: 8, maxLength: 8 }), (list, head) => {
      const message = encodeMessage({ type: 16, flags: 1, sequence: 7 }, head, list);
      const [one, two, ...more] = parseMessages(Uint8Array.from([...message, ...message]));
      expect(more).toEqual([]);
      expect(two).toEqual(one);
      expect(one).toMatchObject({ type: 16, sequence: 7 });
      expect(parseAttributes(one?.payload.subarray(8) ?? new Uint8Array())).toEqual(new Map(list));
    }),
  );
});

/** A head and attributes, whose lengths need not be right. */
const crafted = fc
  .tuple(
    fc.constantFrom(0, 8, 12, 16, 20),
    fc.array(fc.tuple(fc.nat(14), fc.nat(40), fc.uint8Array({ maxLength: 12 })), { maxLength: 12 }),
  )
  .map(([head, attributes]) => {
    const parts = attributes.map(([length, type, value]) => {
      const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
      bytes.writeUInt16LE(length, 0);
      bytes.writeUInt16LE(type, 2);
      bytes.set(value, 4);
      return bytes;
    });
    return new Uint8Array(Buffer.concat([Buffer.alloc(head), ...parts]));
  });

test("any bytes are read without an error", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), crafted);
  fc.assert(
    fc.property(bytes, fc.constantFrom(...TYPES), (payload, type) => {
      for (const message of parseMessages(payload)) for (const parse of PARSERS) parse(message);
      for (const parse of PARSERS) parse({ type, sequence: 1, payload });
    }),
    { numRuns: 3000 },
  );
});

/** Laid out by hand from linux/netlink.h and linux/rtnetlink.h, without the sequence number. */
test("changes are the requests of rtnetlink(7)", () => {
  const hex = (bytes: Uint8Array) => `${bytes.toHex().slice(0, 16)} ${bytes.toHex().slice(32)}`;
  expect(hex(encodeChange({ kind: "set-link", index: 2, isUp: true }, 1))).toBe(
    "2000000010000500 00000000020000000100000001000000",
  );
  expect(hex(encodeChange({ kind: "make-link", type: "vlan", name: "v.5", parent: 2, id: 5 }, 1))).toBe(
    "4c00000010000506 00000000000000000000000000000000" +
      "08000300762e3500" + // IFLA_IFNAME
      "0800050002000000" + // IFLA_LINK
      "1c001280" + // IFLA_LINKINFO
      "09000100766c616e00000000" + // IFLA_INFO_KIND
      "0c00028006000100" + // IFLA_INFO_DATA, IFLA_VLAN_ID
      "05000000",
  );
  expect(hex(encodeDump(abi.RTM_GETADDR, 1)).slice(0, 16)).toBe("2000000016000103");
});

test("a route on the link, and one by a gateway that is in no prefix", () => {
  const base = { kind: "add-route", index: 2, source: null, isIpv6: false } as const;
  const parse = (message: Uint8Array) => parseMessages(message)[0]?.payload ?? new Uint8Array();
  const gateway = Uint8Array.of(10, 0, 0, 1);
  const onLink = parse(
    encodeChange({ ...base, destination: { address: gateway, prefix: 32 }, gateway: null, isOnLink: false }, 1),
  );
  expect(onLink[abi.RTMSG.rtm_scope]).toBe(abi.RT_SCOPE_LINK);
  const viaGateway = parse(encodeChange({ ...base, destination: null, gateway, isOnLink: true }, 1));
  expect(viaGateway[abi.RTMSG.rtm_scope]).toBe(abi.RT_SCOPE_UNIVERSE);
  expect(viaGateway[abi.RTMSG.rtm_flags]).toBe(abi.RTNH_F_ONLINK);
});

test("name servers of a router advertisement (RFC 8106)", () => {
  const server = Uint8Array.fromHex("20010db8000000000000000000000053");
  const rdnss = [25, 3, 0, 0, 0, 0, 14, 16, ...server];
  const dnssl = [31, 2, 0, 0, 0, 0, 14, 16, 3, ...Buffer.from("lan"), 0, 0, 0, 0];
  const taken = [25, 3, 0, 0, 0, 0, 0, 0, ...server];
  const message = (options: readonly number[]) => {
    const payload = new Uint8Array(16 + options.length);
    payload.set([10, 0, options.length, 0, 2, 0, 0, 0, 134]);
    payload.set(options, 16);
    return { type: abi.RTM_NEWNDUSEROPT, sequence: 0, payload };
  };
  expect(parseAdvertisedDns(message([...rdnss, ...dnssl]))).toEqual({ index: 2, servers: [server], domains: ["lan"] });
  expect(parseAdvertisedDns(message(taken))).toBeNull();
  expect(parseAdvertisedDns(message([25, 0, 0, 0, 0, 0, 0, 0]))).toBeNull();
});

test("a nested attribute is found by its type", () => {
  const bytes = encodeAttributes([[5 | abi.NLA_F_NESTED, u32(7)]]);
  expect(parseAttributes(bytes).get(5)).toEqual(u32(7));
});
