import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseManifest } from "../../../src/plan/manifest.ts";
import { BootError } from "../../../src/problems/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function refusal(data: Uint8Array): BootError {
  try {
    parseManifest(data);
  } catch (error) {
    if (error instanceof BootError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a manifest", () => {
  test("is read", () => {
    const manifest = {
      version: 1,
      kernel: "6.1.0-42-cloud-amd64",
      parameters: ["root=LABEL=My Disk", "quiet"],
    } as const;
    expect(parseManifest(bytes(JSON.stringify(manifest)))).toEqual(manifest);
  });

  test("may have no kernel, and unknown fields", () => {
    const manifest = { version: 1, kernel: null, parameters: [] } as const;
    expect(parseManifest(bytes(JSON.stringify({ ...manifest, later: true })))).toEqual(manifest);
  });

  test.each([
    ['{"version":2,"kernel":null,"parameters":[]}', "version: Expected 1 but received 2"],
    ['{"version":1,"kernel":7,"parameters":[]}', "kernel: Expected string but received 7"],
    ['{"version":1,"kernel":null,"parameters":["a",5]}', "parameters.1: Expected string but received 5"],
    ['{"version":1,"kernel":null}', 'parameters: Expected "parameters" but received undefined'],
    ["[]", 'version: Expected "version" but received undefined'],
    ["null", "the whole file: Expected Object but received null"],
  ])("%s is refused with what was expected", (text, line) => {
    expect(refusal(bytes(text)).seen).toContain(line);
    expect(refusal(bytes(text)).hints[0]?.text).toContain("levain image");
  });

  test.each([[""], ["{"], ['{"version":1,'], ["\u0000"]])("%j is damaged", (text) => {
    expect(refusal(bytes(text)).message).toContain("not JSON");
  });

  test("that is not UTF-8 is damaged", () => {
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22)).message).toContain("not JSON");
  });

  test("of any bytes is accepted or refused", () => {
    const json = fc.json().map(bytes);
    fc.assert(
      fc.property(fc.oneof(json, fc.uint8Array()), (data) => {
        expect(refusal(data)).toBeInstanceOf(BootError);
      }),
    );
  });
});
