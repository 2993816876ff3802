import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseKernelRecord } from "../../../../src/machine/linux/kernel-log.ts";

describe("parseKernelRecord", () => {
  test("reads a record with the lines after it", () => {
    const record =
      "6,339,5140900,-;pci 0000:00:01.0: [8086:7000]; type 00\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n";
    expect(parseKernelRecord(record)).toEqual({
      sequence: 339,
      facility: 0,
      atMs: 5140.9,
      text: "pci 0000:00:01.0: [8086:7000]; type 00",
    });
  });

  test("distinguishes the kernel's own records from others, with or without a caller", () => {
    expect(parseKernelRecord("14,7,1,-;levain: ours\n")?.facility).toBe(1);
    expect(parseKernelRecord("3,8,1,c,caller=T1;the kernel's\n")).toEqual({
      sequence: 8,
      facility: 0,
      atMs: 0.001,
      text: "the kernel's",
    });
  });

  test("returns null for anything else", () => {
    for (const text of ["", "text", "6;text", "6,x,1,-;text", "6,1"]) expect(parseKernelRecord(text)).toBeNull();
  });

  test("never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseKernelRecord(text)));
  });
});
