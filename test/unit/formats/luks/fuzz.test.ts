import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatLuksFacts, gatherLuksFacts } from "../../../../src/desk/luks/luks-facts.ts";
import { readLuksHeader } from "../../../../src/formats/luks/read-header.ts";
import { aesDecryptor } from "../../../../src/keys/area-decryptor.ts";
import { unlock } from "../../../../src/keys/unlock.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { cpuMs } from "../../../support/cpu-time.ts";
import { BASE } from "../../../support/luks/base-images.ts";
import { provideLuksImage, readImage } from "../../../support/luks/cryptsetup-image.ts";
import { changeCopies, editJson, type Luks2Json, writeJsonText } from "../../../support/luks/luks2-edit.ts";
import { byteSource, whatItSays } from "../../../support/luks/sources.ts";

// Two copies of 4 MiB, second copies at every place, 32 keyslots, and the search for other signatures.
const READ_LIMIT_BYTES = 40 << 20;
const TIME_LIMIT_MS = 2000;
const LIMITS = { memoryBytes: 1 << 30, allowsNull: false, decryptors: [aesDecryptor] };

const luks1 = readImage(await provideLuksImage(BASE.luks1));
const luks2 = readImage(await provideLuksImage(BASE.luks2));
const keyslots = readImage(await provideLuksImage(BASE.keyslots));

/** Everything that is done with a header; all but a BootError is a mistake of ours. */
function examineAll(bytes: Uint8Array): void {
  const source = byteSource(bytes);
  const startMs = cpuMs();
  try {
    const header = readLuksHeader(source);
    const facts = gatherLuksFacts(header, { bytes: bytes.length, isDetached: false, allowsNull: false }, LIMITS);
    expect(formatLuksFacts(facts).join("")).not.toMatch(/\p{Cc}/u);
    JSON.stringify(facts);
    // Passphrases are not tried in earnest: what their derivation may cost is limited elsewhere.
    const deriveKey = (_kdf: unknown, _passphrase: unknown, length: number) => new Uint8Array(length);
    const checks = header.digests.every(({ check }) => (check?.kdf.iterations ?? 0) < 10_000);
    if (checks)
      expect(unlock(header, new Uint8Array(4), { ...LIMITS, deriveKey, keyslot: null }).kind).toBe("wrong-passphrase");
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
  }
  expect(source.count.bytes).toBeLessThanOrEqual(READ_LIMIT_BYTES);
  expect(cpuMs() - startMs).toBeLessThan(TIME_LIMIT_MS);
}

const flips = (size: number) => fc.array(fc.tuple(fc.nat(size - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
const flip = (bytes: Uint8Array, places: readonly (readonly [number, number])[]) => {
  for (const [at, value] of places) bytes[at] = value;
};

/** Paths to every value of a JSON object. */
function pathsOf(value: Luks2Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, child]) => pathsOf(child, [...path, name]))];
}

function replaceAt(root: Luks2Json, path: readonly string[], value: unknown): void {
  const last = path.at(-1);
  if (last === undefined) return;
  const parent = path.slice(0, -1).reduce((object, name) => object?.[name], root);
  if (typeof parent !== "object" || parent === null) return;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

const malformed = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    undefined,
    -1,
    0,
    1,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e308,
    0.5,
    "",
    "0",
    "-1",
    "18446744073709551615",
    "99999999999999999999",
    "dynamic",
  ),
  fc.constantFrom("cipher_null-ecb", "aes-xts-plain64 1 2", "../../x", "\u001b]0;x\u0007", "__proto__", "constructor"),
  fc.bigInt({ min: 0n, max: 1n << 65n }).map(String),
);

describe("any header is accepted or refused in bounded time and reads", () => {
  test("cut short", () => {
    fc.assert(
      fc.property(fc.constantFrom(luks1, luks2), fc.nat(1 << 20), (image, size) => examineAll(image.slice(0, size))),
      { numRuns: 60 },
    );
  });

  test("LUKS1 with changed bytes", () => {
    fc.assert(
      fc.property(flips(592), (places) => {
        const changed = new Uint8Array(luks1);
        flip(changed.subarray(8), places);
        examineAll(changed);
      }),
      { numRuns: 80 },
    );
  });

  test("LUKS2 with changed bytes, wrong and right checksums", () => {
    const size = 4096 + 2048;
    fc.assert(
      fc.property(flips(size), fc.boolean(), (places, isSealed) => {
        if (isSealed) return examineAll(changeCopies(luks2, (copy) => flip(copy.subarray(8, size), places)));
        const changed = new Uint8Array(luks2);
        flip(changed, places);
        examineAll(changed);
      }),
      { numRuns: 80 },
    );
  });

  test("LUKS2 with changed values", () => {
    const choice = fc.array(fc.tuple(fc.nat(), malformed), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(luks2, keyslots), choice, (image, changes) => {
        const changed = editJson(image, (json) => {
          for (const [index, value] of changes) {
            const paths = pathsOf(json);
            replaceAt(json, paths[index % paths.length] ?? [], value);
          }
        });
        examineAll(changed);
      }),
      { numRuns: 200 },
    );
  });

  test("noise after a magic", () => {
    const noise = fc.uint8Array({ minLength: 600, maxLength: 20_000 });
    fc.assert(
      fc.property(
        noise,
        fc.constantFrom("LUKS\xba\xbe\0\x01", "LUKS\xba\xbe\0\x02", "SKUL\xba\xbe\0\x02"),
        fc.constantFrom(0, 16384),
        (bytes, magic, at) => {
          const image = new Uint8Array(at + bytes.length);
          image.set(bytes, at);
          image.set(Buffer.from(magic, "latin1"), at);
          examineAll(image);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a JSON area of 4 MiB that is crafted to take long", () => {
  const SIZE = 4 << 20;
  const image = new Uint8Array(3 * SIZE);
  image.set(luks2.subarray(0, 4096));
  new DataView(image.buffer).setBigUint64(8, BigInt(SIZE));

  test.each([
    ["arrays in arrays", `{"x":${"[".repeat(SIZE - 5000)}`, "nested more than 32"],
    ["arrays beside arrays", `{"x":[${"[],".repeat((SIZE - 5000) / 3)}`, "more than 40000 values"],
    ["texts that do not end", `{"x":"${'\\"'.repeat((SIZE - 5000) / 2)}`, "damaged"],
    ["one long text", `{"x":"${"y".repeat(SIZE - 5000)}"}`, "config is missing"],
    ["one long number", `{"config":{"keyslots_size":"${"9".repeat(SIZE - 5000)}"}}`, "tokens is missing"],
  ])("%s", (_name, text, reason) => {
    const first = writeJsonText(image, new TextEncoder().encode(text));
    examineAll(first);
    expect(whatItSays(() => readLuksHeader(byteSource(first)))).toContain(reason);
  });
});
