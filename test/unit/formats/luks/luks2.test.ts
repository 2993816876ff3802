import { describe, expect, spyOn, test } from "bun:test";
import { readLuksHeader } from "../../../../src/formats/luks/read-header.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { INVALID_KEYSLOTS } from "../../../support/luks/invalid-keyslots.ts";
import { INVALID_OBJECTS } from "../../../support/luks/invalid-objects.ts";
import { INVALID_SEGMENTS } from "../../../support/luks/invalid-segments.ts";
import { INVALID_TEXTS } from "../../../support/luks/invalid-texts.ts";
import { changeCopies, damageCopy, editJson } from "../../../support/luks/luks2-edit.ts";
import { byteSource, whatItSays } from "../../../support/luks/sources.ts";

const image = readImage(await provideLuksImage(BASE.luks2));
const read = (bytes: Uint8Array) => readLuksHeader(byteSource(bytes));

/** The image with the epoch of one copy changed. */
function age(index: number, epoch: bigint): Uint8Array {
  return changeCopies(image, (_copy, view) => view.setBigUint64(16, epoch), [index]);
}

describe("a LUKS2 header of cryptsetup", () => {
  test("is read without node:crypto, which would take 30 ms before the prompt", () => {
    const modules = spyOn(process, "getBuiltinModule");
    read(image);
    expect(modules).not.toHaveBeenCalled();
    modules.mockRestore();
  });

  test("is read completely", () => {
    const { keyslots, segments, digests, material, ...rest } = read(image);
    expect(rest).toEqual({
      version: 2,
      uuid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      label: "base",
      subsystem: "",
      epoch: expect.any(BigInt),
      tokens: [],
      flags: [],
      requirements: [],
      warnings: [],
    });
    expect(keyslots).toEqual([
      {
        id: 0,
        type: "luks2",
        keyBytes: 64,
        priority: "normal",
        area: { offset: 32768, size: 258048 },
        lock: {
          kdf: { type: "pbkdf2", hash: "sha256", iterations: 1000, salt: expect.any(Uint8Array) },
          cipher: "aes-xts-plain64",
          cipherKeyBytes: 64,
          splitHash: "sha256",
        },
      },
    ]);
    const crypt = { cipher: "aes-xts-plain64", ivOffset: 0n, sectorBytes: 4096, integrity: null };
    expect(segments).toEqual([{ id: 0, type: "crypt", offset: 2097152n, size: null, flags: [], crypt }]);
    expect(digests).toMatchObject([{ id: 0, keyslots: [0], segments: [0] }]);
    expect(material.get(0)).toEqual(image.subarray(32768, 32768 + 256000));
  });

  test("is read once, and only the necessary parts", () => {
    const source = byteSource(image);
    readLuksHeader(source);
    expect(source.count).toEqual({ reads: 6, bytes: 592 + 2 * 16384 + 256000 });
  });
});

describe("two copies", () => {
  test("a damaged first one is reported, and the second is used", () => {
    for (const at of [0, 100, 5000]) {
      const header = read(damageCopy(image, 0, at));
      expect(header.warnings).toEqual([
        expect.stringContaining("the first copy of the LUKS2 header is damaged, the second is used: "),
      ]);
      expect(header.label).toBe("base");
    }
  });

  test("a damaged second one is reported", () => {
    expect(read(damageCopy(image, 1)).warnings).toEqual([
      "the second copy of the LUKS2 header is damaged: its checksum is wrong",
    ]);
  });

  test("both damaged", () => {
    expect(whatItSays(() => read(damageCopy(damageCopy(image, 0), 1)))).toBe(
      "both copies of the LUKS2 header are damaged\nfirst: its checksum is wrong\nsecond: its checksum is wrong\n" +
        "restore a backup of the header: cryptsetup luksHeaderRestore",
    );
  });

  test("an unreadable first one", () => {
    const { warnings } = readLuksHeader(byteSource(image, (offset) => offset > 0 && offset < 16384));
    expect(warnings[0]).toContain("it cannot be read (EIO)");
  });

  test("the newer one is used", () => {
    const epoch = read(image).epoch ?? 0n;
    expect(read(age(0, epoch + 2n))).toMatchObject({
      epoch: epoch + 2n,
      warnings: ["the second copy of the LUKS2 header is older"],
    });
    expect(read(age(1, epoch + 2n))).toMatchObject({
      epoch: epoch + 2n,
      warnings: ["the first copy of the LUKS2 header is damaged, the second is used: it is older"],
    });
  });

  test("a filesystem over the first one: the second is not used", () => {
    const overwritten = Uint8Array.from(image).fill(0, 0, 4096);
    overwritten.set(new TextEncoder().encode("hsqs"));
    overwritten.set([4, 0], 28);
    expect(whatItSays(() => read(overwritten))).toContain("the device holds squashfs now");
    expect(read(Uint8Array.from(image).fill(0, 0, 4096)).warnings).toHaveLength(1);
  });
});

describe("corrupted headers", () => {
  test.each(
    [...INVALID_TEXTS, ...INVALID_OBJECTS, ...INVALID_KEYSLOTS, ...INVALID_SEGMENTS].map(
      (header) => [header.name, header] as const,
    ),
  )("%s", (_name, { corrupt, reason }) => {
    const corrupted = corrupt(image);
    if (reason === null) expect(read(corrupted).warnings).toEqual([]);
    else expect(whatItSays(() => read(corrupted))).toContain(reason);
  });

  test("an area beyond the end of the device", () => {
    expect(whatItSays(() => read(image.slice(0, 500_000)))).toContain(
      "its keyslots area is beyond the end of the device",
    );
  });

  test("keyslots that are too large", () => {
    const many = editJson(image, (json) => {
      json.config.keyslots_size = String(64 << 20);
      json.segments[0].offset = String(128 << 20);
      for (let id = 0; id < 2; id++) {
        const area = { ...json.keyslots[0].area, offset: String(32768 + id * (32 << 20)), size: String(32 << 20) };
        json.keyslots[id] = { ...json.keyslots[0], key_size: 8192, area };
      }
      json.digests[0].keyslots = ["0", "1"];
    });
    const source = { ...byteSource(many), size: 2 ** 40 };
    expect(whatItSays(() => readLuksHeader(source))).toBe("its keyslots are too large\n");
  });
});

describe("a UUID", () => {
  const call = (uuid: string, which?: readonly number[]) =>
    changeCopies(image, (copy) => copy.fill(0, 168, 208).set(new TextEncoder().encode(uuid), 168), which);

  test("may have capitals", () => {
    expect(read(call("C1B72FC6-24B1-4BD1-9C81-3D3CC7EE1E5C")).uuid).toBe("C1B72FC6-24B1-4BD1-9C81-3D3CC7EE1E5C");
  });

  // It stands in the table for dm-crypt, in names of devices, and in the key's.
  test.each([
    "",
    "c1b72fc6",
    "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5",
    "x-d0 0 7:0 0 1 allow_discards",
    "../../../../etc/passwd",
    "c1b72fc6 24b1 4bd1 9c81 3d3cc7ee1e5c",
    "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c\n",
    "\u001b]0;x\u0007",
  ])("%j is not valid", (uuid) => {
    expect(whatItSays(() => read(call(uuid)))).toContain("its UUID is not valid");
    expect(read(call(uuid, [0])).warnings).toEqual([
      "the first copy of the LUKS2 header is damaged, the second is used: its UUID is not valid",
    ]);
  });
});

describe("no header", () => {
  test.each([
    ["nothing", new Uint8Array(0)],
    ["zeros", new Uint8Array(1 << 20)],
    ["half a header", image.slice(0, 500)],
  ])("%s", (_name, bytes) => {
    expect(whatItSays(() => read(bytes))).toBe("there is no LUKS header\n");
  });

  test("an unknown version", () => {
    const other = Uint8Array.from(image);
    other[7] = 9;
    expect(whatItSays(() => read(other))).toBe("LUKS version 9 is not known\n");
  });
});
