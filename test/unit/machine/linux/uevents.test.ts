import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseUevent } from "../../../../src/machine/linux/uevents.ts";

const message = (...lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\0`).join(""));

describe("parseUevent", () => {
  test("reads what the kernel sends", () => {
    const event = parseUevent(
      message(
        "add@/devices/virtual/block/loop0",
        "ACTION=add",
        "SUBSYSTEM=block",
        "DEVNAME=loop0",
        "MODALIAS=a=b",
        "SEQNUM=7",
      ),
    );
    expect(event?.action).toBe("add");
    expect(event?.devpath).toBe("/devices/virtual/block/loop0");
    expect(event?.subsystem).toBe("block");
    expect(event?.properties["DEVNAME"]).toBe("loop0");
    expect(event?.properties["MODALIAS"]).toBe("a=b");
  });

  test("skips lines that are not properties", () => {
    const event = parseUevent(message("change@/x", "", "=nothing", "words"));
    expect(event).toEqual({ action: "change", devpath: "/x", subsystem: "", properties: Object.create(null) });
  });

  test("does not confuse a name of an object's prototype with a property", () => {
    const event = parseUevent(message("add@/x", "__proto__=x"));
    expect(Object.keys(event?.properties ?? {})).toEqual(["__proto__"]);
    expect(event?.properties["constructor"]).toBeUndefined();
  });

  test("returns null for anything else", () => {
    for (const text of ["", "libudev\0\xfe\xed", "@/devices", "add"]) expect(parseUevent(Buffer.from(text))).toBeNull();
  });

  test("never throws", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseUevent(bytes)));
  });
});
