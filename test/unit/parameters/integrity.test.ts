import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIntegrityVolume } from "../../../src/parameters/crypt/integrity.ts";
import { parseIntegritytab } from "../../../src/parameters/dialects/integritytab.ts";

const options = (text: string) => parseIntegrityVolume(`safe:/dev/vda${text}`).options;

describe("a device with checksums", () => {
  test("is named with its device", () => {
    expect(parseIntegrityVolume("safe:PARTLABEL=a:b")).toMatchObject({
      name: "safe",
      device: { by: "partlabel", value: "a:b" },
      options: { hash: "crc32c", keyFile: null, dataDevice: null, mode: "J", words: [] },
    });
  });

  test.each([
    [",integrity-algorithm=sha256", { hash: "sha256", keyFile: null }],
    [",key=/etc/k", { hash: "sha256", keyFile: "/etc/k" }],
    [",key=/etc/k,integrity-algorithm=hmac-sha256", { hash: "sha256", keyFile: "/etc/k" }],
    [",mode=bitmap", { mode: "B" }],
    [",mode=direct,mode=journal", { mode: "J" }],
    [",data-device=LABEL=DATA", { dataDevice: { by: "label", value: "DATA" } }],
    [
      ",allow-discards,journal-watermark=55%,journal-commit-time=10",
      { words: ["allow_discards", "journal_watermark:55", "commit_time:10"] },
    ],
    // Of systemd: 0 is the kernel's default.
    [",journal-watermark=0%,journal-commit-time=0", { words: [] }],
  ])("has the options%s", (text, expected) => {
    expect(options(text)).toMatchObject(expected);
  });

  test.each([
    ["", "NAME:DEVICE"],
    ["safe", "NAME:DEVICE"],
    ["a/b:/dev/vda", "a name for /dev/mapper"],
    ["safe:vda", "LABEL="],
    ["safe:/dev/vda,integrity-algorithm=md5", "integrity-algorithm= as crc32c, "],
    ["safe:/dev/vda,integrity-algorithm=hmac-sha256", "key= with integrity-algorithm=hmac-sha256"],
    ["safe:/dev/vda,key=/etc/k,integrity-algorithm=sha256", "and with no other"],
    ["safe:/dev/vda,key=../k", "key= as the path of a file"],
    ["safe:/dev/vda,mode=fast", "mode= as journal, bitmap or direct"],
    ["safe:/dev/vda,journal-watermark=101", "from 0 to 100"],
    ["safe:/dev/vda,colour=red", "an option of integritytab"],
    ["safe:/dev/vda,toString=", "an option of integritytab"],
  ])("is refused as %p", (text, expected) => {
    expect(() => parseIntegrityVolume(text)).toThrow(expected);
  });
});

describe("integritytab", () => {
  test("stands for parameters", () => {
    const text = "# comment\n\nhome\tPARTUUID=ab -  journal-commit-time=10\ndata /dev/vdb\nkeyed /dev/vdc /etc/key\n";
    expect(parseIntegritytab(text)).toEqual({
      parameters: [
        "rd.integrity=home:PARTUUID=ab,journal-commit-time=10",
        "rd.integrity=data:/dev/vdb",
        "rd.integrity=keyed:/dev/vdc,key=/etc/key",
      ],
      ignored: [],
    });
  });

  test("is read line by line: what cannot be obeyed is named", () => {
    expect(parseIntegritytab("home\nsafe /dev/vda\nx /dev/vdb - a=b\n")).toMatchObject({
      parameters: ["rd.integrity=safe:/dev/vda"],
      ignored: [expect.stringContaining("line 1: expected "), expect.stringContaining("line 3: expected an option")],
    });
  });

  test("may be any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const word of parseIntegritytab(text).parameters) parseIntegrityVolume(word.replace("rd.integrity=", ""));
      }),
    );
  });
});
