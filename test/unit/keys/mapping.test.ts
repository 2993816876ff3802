import { describe, expect, test } from "bun:test";
import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { type DataDevice, describeTarget, planMapping } from "../../../src/keys/mapping.ts";
import { BASE } from "../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../support/luks/cryptsetup-image.ts";
import { editJson, type Luks2Json } from "../../support/luks/luks2-edit.ts";
import { byteSource, whatItSays } from "../../support/luks/sources.ts";

const MIB = 1 << 20;
const DEVICE: DataDevice = { bytes: 4 * MIB, isDetached: false, allowsNull: false };
const luks1 = readImage(await provideLuksImage(BASE.luks1));
const luks2 = readImage(await provideLuksImage(BASE.luks2));

function plan(change: (json: Luks2Json) => void = () => undefined, device: Partial<DataDevice> = {}) {
  return planMapping(readLuksHeader(byteSource(editJson(luks2, change))), { ...DEVICE, ...device });
}

describe("a mapping", () => {
  test("of LUKS2", () => {
    expect(plan()).toEqual({
      cipher: "aes-xts-plain64",
      integrity: null,
      keyBytes: 64,
      ivOffset: 0n,
      offsetSectors: 4096,
      sizeSectors: 4096,
      sectorBytes: 4096,
      options: ["sector_size:4096"],
      unknownFlags: [],
    });
  });

  test("of LUKS1", () => {
    expect(planMapping(readLuksHeader(byteSource(luks1)), DEVICE)).toMatchObject({
      offsetSectors: 4096,
      sizeSectors: 4096,
      sectorBytes: 512,
      options: [],
    });
  });

  test("of a part of the device, with its own IV offset", () => {
    const mapping = plan((json) =>
      Object.assign(json.segments[0], { offset: "3145728", size: "8192", iv_tweak: "77" }),
    );
    expect(mapping).toMatchObject({ offsetSectors: 6144, sizeSectors: 16, ivOffset: 77n });
  });

  test("with a detached header the data begin at 0", () => {
    const change = (json: Luks2Json) => (json.segments[0].offset = "0");
    expect(plan(change, { isDetached: true })).toMatchObject({ offsetSectors: 0, sizeSectors: 8192 });
    expect(whatItSays(() => plan(change))).toContain("the data begin where the header is");
  });

  test("known and unknown flags", () => {
    const flags = [
      "allow-discards",
      "no-read-workqueue",
      "no-write-workqueue",
      "same-cpu-crypt",
      "submit-from-crypt-cpus",
      "no-journal",
      "new",
    ];
    const mapping = plan((json) => (json.config.flags = flags));
    expect(mapping.options).toEqual([
      "allow_discards",
      "no_read_workqueue",
      "no_write_workqueue",
      "same_cpu_crypt",
      "submit_from_crypt_cpus",
      "sector_size:4096",
    ]);
    expect(mapping.unknownFlags).toEqual(["new"]);
  });

  test("a backup segment does not count", () => {
    const backup = { type: "linear", offset: "512", size: "512", flags: ["backup-previous"] };
    expect(plan((json) => (json.segments[1] = backup))).toEqual(plan());
  });
});

describe("no mapping", () => {
  const crypt = (changes: object) => (json: Luks2Json) => Object.assign(json.segments[0], changes);
  test.each([
    [
      "data beyond the device",
      crypt({ size: "4194304" }),
      {},
      "the data reach beyond the end of the device\ndata up to byte 6291456\ndevice of 4194304 bytes",
    ],
    ["data of 2^64 bytes", crypt({ size: "18446744073709547520" }), {}, "beyond the end"],
    ["a device without data", crypt({}), { bytes: 2 * MIB }, "the device ends before the data"],
    ["no whole sectors", crypt({}), { bytes: 4 * MIB - 512 }, "do not end with a whole sector of 4096 bytes"],
    ["no encryption", crypt({ encryption: "cipher_null-ecb" }), {}, "the data are not encrypted (cipher_null-ecb)"],
    [
      "no encryption in another form",
      crypt({ encryption: "capi:ecb(cipher_null)-null" }),
      {},
      "the data are not encrypted",
    ],
    ["an unknown type", crypt({ type: "linear" }), {}, "the data segment has the type linear"],
    [
      "unknown integrity",
      crypt({ integrity: { type: "crc32", journal_encryption: "none", journal_integrity: "none" } }),
      {},
      "integrity crc32 with aes-xts-plain64",
    ],
    ["a requirement", (json: Luks2Json) => (json.config.requirements = { mandatory: ["opal"] }), {}, "requires opal"],
    [
      "no keyslot of the data",
      (json: Luks2Json) => {
        json.keyslots = {};
        json.digests[0].keyslots = [];
      },
      {},
      "no keyslot holds the key of the data",
    ],
    [
      "several segments",
      (json: Luks2Json) => {
        json.segments[0].size = "4096";
        json.segments[1] = { type: "linear", offset: "3145728", size: "dynamic" };
      },
      {},
      "the data are in 2 segments",
    ],
  ])("%s", (_name, change, device, reason) => {
    expect(whatItSays(() => plan(change, device))).toContain(reason);
  });

  test("no encryption, if that is allowed", () => {
    expect(plan((json) => (json.segments[0].encryption = "cipher_null-ecb"), { allowsNull: true }).cipher).toBe(
      "cipher_null-ecb",
    );
  });
});

// libcryptsetup's cipher_c2dm and INTEGRITY_tag_size.
describe("integrity parameters of dm-crypt", () => {
  test.each([
    ["aes-xts-random", "hmac(sha256)", "capi:authenc(hmac(sha256),xts(aes))-random", "integrity:48:aead", 48],
    ["aes-xts-plain64", "hmac(sha512)", "capi:authenc(hmac(sha512),xts(aes))-plain64", "integrity:64:aead", 64],
    ["aes-cbc-essiv:sha256", "hmac(sha1)", "capi:authenc(hmac(sha1),cbc(aes))-essiv:sha256", "integrity:20:aead", 20],
    ["aes-gcm-random", "aead", "capi:gcm(aes)-random", "integrity:28:aead", 28],
    ["aes-ccm-random", "aead", "capi:rfc4309(ccm(aes))-random", "integrity:24:aead", 24],
    ["aegis128-random", "aead", "capi:aegis128-random", "integrity:32:aead", 32],
    ["aegis256-random", "aead", "capi:aegis256-random", "integrity:48:aead", 48],
    ["chacha20-random", "poly1305", "capi:rfc7539(chacha20,poly1305)-random", "integrity:28:aead", 28],
    ["chacha20-plain64", "poly1305", "capi:rfc7539(chacha20,poly1305)-plain64", "integrity:16:aead", 16],
    ["aes-xts-random", "none", "capi:xts(aes)-random", "integrity:16:none", 16],
  ])("%s with %s", (cipher, integrity, words, option, tagBytes) => {
    const segment = { cipher, integrity, ivOffset: 0n, sectorBytes: 512 };
    expect(describeTarget(segment)).toEqual({ cipher: words, integrity: { type: integrity, tagBytes, option } });
  });

  test.each([
    ["aes-xts-plain64", "hmac(digest_null)"],
    ["capi:xts(aes)-plain64", "aead"],
    ["aes", "aead"],
  ])("%s with %s is refused", (cipher, integrity) => {
    expect(whatItSays(() => describeTarget({ cipher, integrity, ivOffset: 0n, sectorBytes: 512 }))).toContain(
      "is not supported",
    );
  });
});
