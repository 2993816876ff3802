import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCms } from "../../../../src/formats/checks/cms.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import { signedContent } from "../../../support/cms-fixture.ts";
import { whatItSays } from "../../../support/luks/sources.ts";

const { plain, attributed } = await signedContent();

test("a signature with attributes, and one without", () => {
  expect(readCms(plain)).toMatchObject({ signers: [{ digest: "sha256", attributes: null }], certificates: [] });
  const { signers, certificates } = readCms(attributed);
  expect(certificates).toHaveLength(1);
  expect(signers[0]?.attributes?.contentDigest).toHaveLength(32);
  expect(signers[0]?.attributes?.bytes[0]).toBe(0x31);
});

test("what is no SignedData is reported", () => {
  for (const bytes of [
    new Uint8Array(),
    Buffer.from("3000", "hex"),
    Buffer.from("-----BEGIN"),
    plain.subarray(0, 90),
  ]) {
    expect(whatItSays(() => readCms(bytes))).toContain("the CMS signature is malformed");
  }
  expect(whatItSays(() => readCms(new Uint8Array(1 << 20)))).toContain("it is too long");
});

test("a signature with any byte changed is read, or a BootError", () => {
  const changes = fc.array(fc.tuple(fc.nat(attributed.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(changes, (places) => {
      const bytes = new Uint8Array(attributed);
      for (const [at, value] of places) bytes[at] = value;
      try {
        readCms(bytes);
      } catch (error) {
        if (!(error instanceof BootError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
