import { binary, type InvalidHeader, rawJson, stricter } from "./invalid-header.ts";
import { readJson, writeJsonText } from "./luks2-edit.ts";

/** Corrupted binary headers and JSON texts, after tests/generators/ of cryptsetup. */
export const INVALID_TEXTS: readonly InvalidHeader[] = [
  rawJson("nothing is changed", null, (content) => content),
  rawJson("spaces between", null, (content) => content.replaceAll(",", ",\n  ")),
  rawJson("a full area", null, (content, bytes) => `${content.slice(0, -1)}${" ".repeat(bytes - content.length - 1)}}`),
  rawJson(
    "no zero byte at the end",
    "has no end",
    (content, bytes) => `${content.slice(0, -1)}${" ".repeat(bytes - content.length)}}`,
  ),
  rawJson("bytes after the JSON and its end", "followed by other bytes", (content) => `${content}\0\0x`),
  rawJson("a byte after the JSON", "damaged", (content) => `${content}x`),
  rawJson("not an object", "not one object", (content) => `[${content}]`),
  rawJson("a space before it", "not one object", (content) => ` ${content}`),
  rawJson("a space after it", null, (content) => `${content} `),
  rawJson("cut", "damaged", (content) => content.slice(0, -20)),
  rawJson("not JSON", "damaged", (content) => content.replace(":", "=")),
  rawJson(
    "nested too deeply",
    "nested more than 32",
    (content) => `${content.slice(0, -1)},"x":${"[".repeat(40)}${"]".repeat(40)}}`,
  ),
  rawJson("empty", "not one object", () => ""),
  {
    name: "a token in Latin-1",
    reason: null,
    corrupt: (image) => {
      const content = new TextEncoder().encode(JSON.stringify({ ...readJson(image), x: "?" }));
      content[content.length - 3] = 0xff;
      return writeJsonText(image, content);
    },
  },

  // luksDump shows it; it is not opened.
  stricter(
    binary("an invalid UUID", "its UUID is not valid", (copy) => copy.set(new TextEncoder().encode("x 0 7:0 0"), 168)),
  ),
  binary("a checksum of an unknown type", "unknown type", (copy) =>
    copy.set(new TextEncoder().encode("md4\0\0\0"), 72),
  ),
  binary("an invalid size", "not valid for LUKS2", (_copy, view) => view.setBigUint64(8, 0x5000n)),
  binary("an enormous size", "not valid for LUKS2", (_copy, view) => view.setBigUint64(8, 1n << 62n)),
  binary("a size that is not its own", "checksum is wrong", (_copy, view) => view.setBigUint64(8, 0x400000n)),
  binary("another offset", "another offset", (_copy, view) => view.setBigUint64(256, 4096n)),
  binary("version 3", "LUKS version 3 is not known", (_copy, view) => view.setUint16(6, 3)),
];
