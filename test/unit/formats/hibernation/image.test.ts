import { describe, expect, test } from "bun:test";
import { readHibernationImage } from "../../../../src/formats/hibernation/image.ts";
import { parseHibernateLocation } from "../../../../src/formats/hibernation/location.ts";
import { byteSource } from "../../../support/luks/sources.ts";

/** struct swsusp_header at the end of a page: flags, orig_sig, sig. */
function header(signature: string, { pageBytes = 4096, offsetPages = 0, before = "SWAPSPACE2", flags = 0 } = {}) {
  const bytes = new Uint8Array((offsetPages + 2) * pageBytes);
  const end = (offsetPages + 1) * pageBytes;
  bytes[end - 24] = flags;
  bytes.set(Buffer.from(before.padEnd(10, "\0") + signature.padEnd(10, "\0"), "latin1"), end - 20);
  return bytes;
}

describe("a hibernation image", () => {
  test.each([4096, 16384, 65536])("is found at the end of a page of %i bytes", (pageBytes) => {
    const found = readHibernationImage(byteSource(header("S1SUSPEND", { pageBytes })), { offsetPages: 0, pageBytes });
    expect(found).toMatchObject({ maker: "kernel", at: pageBytes - 10, isLz4: false });
    expect(Buffer.from(found?.swapSignature ?? []).toString()).toBe("SWAPSPACE2");
  });

  test("in a swap file is found at its offset, and nowhere else", () => {
    const source = byteSource(header("S1SUSPEND", { offsetPages: 7 }));
    expect(readHibernationImage(source, { offsetPages: 7, pageBytes: 4096 })).toMatchObject({ at: 8 * 4096 - 10 });
    for (const offsetPages of [0, 6, 8, 9, 1e12]) {
      expect(readHibernationImage(source, { offsetPages, pageBytes: 4096 })).toBeNull();
    }
  });

  test.each([
    ["S2SUSPEND", "Software Suspend 2"],
    ["ULSUSPEND", "uswsusp"],
    ["LINHIB0001", "uswsusp"],
  ] as const)("%s was made by %s", (signature, maker) => {
    expect(readHibernationImage(byteSource(header(signature)), { offsetPages: 0, pageBytes: 4096 })).toMatchObject({
      maker,
    });
  });

  test("of TuxOnIce keeps no signature of the swap space", () => {
    const bytes = header("SWAPSPACE2");
    bytes.set([0xed, 0xc3, 0x02, 0xe9, 0x98, 0x56, 0xe5, 0x0c]);
    expect(readHibernationImage(byteSource(bytes), { offsetPages: 0, pageBytes: 4096 })).toMatchObject({
      maker: "TuxOnIce",
      swapSignature: null,
    });
  });

  test("says that lz4 compressed it, by a flag of the kernel's own header", () => {
    const read = (signature: string) =>
      readHibernationImage(byteSource(header(signature, { flags: 16 | 4 })), { offsetPages: 0, pageBytes: 4096 });
    expect(read("S1SUSPEND")?.isLz4).toBe(true);
    expect(read("ULSUSPEND")?.isLz4).toBe(false);
  });

  test("is none if a byte of the signature differs, or the device is too small", () => {
    for (let index = 0; index < 10; index++) {
      const bytes = header("S1SUSPEND");
      bytes[4086 + index] = 0x5a;
      expect(readHibernationImage(byteSource(bytes), { offsetPages: 0, pageBytes: 4096 })).toBeNull();
    }
    const short = header("S1SUSPEND").subarray(0, 4095);
    expect(readHibernationImage(byteSource(short), { offsetPages: 0, pageBytes: 4096 })).toBeNull();
  });

  test("with another signature of the swap space keeps none", () => {
    const source = byteSource(header("S1SUSPEND", { before: "EVILSPACE!" }));
    expect(readHibernationImage(source, { offsetPages: 0, pageBytes: 4096 })?.swapSignature).toBeNull();
  });
});

describe("HibernateLocation", () => {
  const parse = (text: string) => parseHibernateLocation(Buffer.from(`${text}\0`, "utf16le"));
  const uuid = "0e1f0a9c-1111-4000-8000-00000000cafe";

  test.each([uuid, uuid.replaceAll("-", ""), uuid.toUpperCase()])("names the UUID %s", (text) => {
    expect(parse(JSON.stringify({ uuid: text, offset: 34816, kernelVersion: "6.1.0", osReleaseId: "debian" }))).toEqual(
      {
        uuid,
        offset: 34816,
        kernel: "6.1.0",
      },
    );
  });

  test.each([
    "",
    "null",
    "[]",
    "7",
    '{"offset": 0}',
    '{"uuid": "x", "offset": 0}',
    `{"uuid": "${uuid}"}`,
    `{"uuid": "${uuid}", "offset": -1}`,
    `{"uuid": "${uuid}", "offset": 1.5}`,
    `{"uuid": "${uuid}", "offset": 1e300}`,
    `{"uuid": "${uuid}", "offset": "0"}`,
  ])("is none: %s", (text) => {
    expect(parse(text)).toBeNull();
  });

  test("of odd bytes is none", () => {
    expect(parseHibernateLocation(new Uint8Array([0x7b, 0, 0xd8]))).toBeNull();
  });
});
