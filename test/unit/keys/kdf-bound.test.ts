import { describe, expect, test } from "bun:test";
import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { aesDecryptor } from "../../../src/keys/area-decryptor.ts";
import { deriveKey } from "../../../src/keys/kdf.ts";
import { costOf } from "../../../src/keys/kdf-cost.ts";
import type { KdfBound } from "../../../src/keys/obstacles.ts";
import { listUntried, type UnlockOptions, unlock, usableKeyslots } from "../../../src/keys/unlock.ts";
import { BASE } from "../../support/luks/base-images.ts";
import { PASSPHRASE, provideLuksImage, readImage } from "../../support/luks/cryptsetup-image.ts";
import { editJson, type Luks2Json } from "../../support/luks/luks2-edit.ts";
import { byteSource, whatItSays } from "../../support/luks/sources.ts";

const luks2 = await provideLuksImage(BASE.luks2);
const edit = (change: (json: Luks2Json) => void) => readLuksHeader(byteSource(editJson(readImage(luks2), change)));

/** A machine that does a million iterations a second. */
const bound = (maxMs: number): KdfBound => ({
  maxMs,
  estimateMs: (kdf, length, fromCost = 0) => {
    const cost = costOf(kdf, length, length);
    return cost <= fromCost ? null : cost / 1000;
  },
});
const optionsOf = (kdfBound: KdfBound | null): UnlockOptions => ({
  ...{ deriveKey, decryptors: [aesDecryptor], memoryBytes: 1 << 30, allowsNull: false, keyslot: null },
  kdfBound,
});

describe("max-kdf=", () => {
  const costly = edit(({ keyslots }) =>
    Object.assign(keyslots[0].kdf, { type: "pbkdf2", hash: "sha256", iterations: 5e8 }),
  );

  test("skips a keyslot that would take longer, and reports its cost", () => {
    const reason =
      "keyslot 0 takes about 8 min to try (pbkdf2, 500000000 iterations of sha256), and max-kdf= allows 60 s";
    expect(whatItSays(() => usableKeyslots(costly, optionsOf(bound(60_000))))).toContain(reason);
    expect(listUntried(costly, optionsOf(bound(60_000)))).toEqual([reason]);
    expect(usableKeyslots(costly, optionsOf(bound(501_000)))).toHaveLength(1);
    expect(usableKeyslots(costly, optionsOf(null))).toHaveLength(1);
  });

  test("counts the digest too", () => {
    const header = edit(({ digests }) => (digests[0].iterations = 500_000_000));
    expect(whatItSays(() => usableKeyslots(header, optionsOf(bound(60_000))))).toContain("takes about 8 min to try");
  });

  test("allows keyslots that take less", () => {
    const header = readLuksHeader(byteSource(readImage(luks2)));
    const passphrase = new TextEncoder().encode(PASSPHRASE);
    expect(unlock(header, passphrase, optionsOf(bound(1000)))).toMatchObject({ kind: "unlocked" });
  });
});
