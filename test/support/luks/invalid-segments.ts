import { type InvalidHeader, json, stricter } from "./invalid-header.ts";

const linear = (offset: string, size: string, flags?: string[]) => ({
  type: "linear",
  offset,
  size,
  ...(flags && { flags }),
});

/** Corrupted segments, after tests/generators/ of cryptsetup. */
export const INVALID_SEGMENTS: readonly InvalidHeader[] = [
  json("a segment of 2^64 bytes", null, (content) => (content.segments[0].size = "18446744073709547520")),
  json(
    "a segment of more than 64 bits",
    "larger than 64 bits",
    (content) => (content.segments[0].size = "18446744073709551616"),
  ),
  json("a segment of less than 0 bytes", "size is not valid", (content) => (content.segments[0].size = "-512")),
  json("a segment without type", "segments.0.type is missing", (content) => delete content.segments[0].type),
  json("a segment whose type is a number", "type is not a string", (content) => (content.segments[0].type = 42)),
  json("a segment without offset", "offset is missing", (content) => delete content.segments[0].offset),
  json("a segment whose offset is a number", "offset is not a string", (content) => (content.segments[0].offset = 42)),
  json(
    "a segment that does not begin at a sector",
    "does not begin at a sector",
    (content) => (content.segments[0].offset = "4194305"),
  ),
  json("a segment without size", "size is missing", (content) => delete content.segments[0].size),
  json("a segment whose size is a number", "size is not a string", (content) => (content.segments[0].size = 4096)),
  json("a segment of half a sector", "multiple of its sector size", (content) => (content.segments[0].size = "256")),
  json("a segment of no bytes", "multiple of its sector size", (content) => (content.segments[0].size = "0")),
  json(
    "a segment of no whole encryption sector",
    "multiple of its sector size",
    (content) => (content.segments[0].size = "512"),
  ),
  json("a segment without cipher", "encryption is missing", (content) => delete content.segments[0].encryption),
  json(
    "a segment whose cipher is a number",
    "encryption is not a string",
    (content) => (content.segments[0].encryption = 42),
  ),
  json(
    "a segment whose cipher is empty",
    "encryption is not valid",
    (content) => (content.segments[0].encryption = ""),
  ),
  stricter(
    json(
      "a segment whose cipher has blanks",
      "encryption is not valid",
      (content) => (content.segments[0].encryption = "aes 1"),
    ),
  ),
  json("a segment without iv_tweak", "iv_tweak is missing", (content) => delete content.segments[0].iv_tweak),
  json(
    "a segment whose iv_tweak is a word",
    "iv_tweak is not valid",
    (content) => (content.segments[0].iv_tweak = "x"),
  ),
  json("a segment without sector_size", "sector_size is missing", (content) => delete content.segments[0].sector_size),
  json(
    "a segment whose sector_size is a text",
    "sector_size is not an integer",
    (content) => (content.segments[0].sector_size = "4096"),
  ),
  json(
    "a segment whose sector_size is negative",
    "sector_size is -1",
    (content) => (content.segments[0].sector_size = -1),
  ),
  json(
    "a segment whose sector_size is odd",
    "sector_size is 511",
    (content) => (content.segments[0].sector_size = 511),
  ),
  stricter(
    json(
      "a sector_size that dm-crypt does not have",
      "sector_size is 8192",
      (content) => (content.segments[0].sector_size = 8192),
    ),
  ),
  json(
    "a segment of an unknown type",
    null,
    (content) => (content.segments[0] = { type: "some", offset: "4194304", size: "dynamic" }),
  ),
  json("two segments", null, (content) => {
    content.segments[0].size = "4096";
    content.segments[1] = linear(String(Number(content.segments[0].offset) + 4096), "dynamic");
  }),
  json("two segments that share bytes", "overlap", (content) => {
    content.segments[0].size = "8192";
    content.segments[1] = linear(String(Number(content.segments[0].offset) + 4096), "dynamic");
  }),
  json("two segments, the first without end", "before the last has no end", (content) => {
    content.segments[1] = linear(String(Number(content.segments[0].offset) + 4096), "512");
  }),
  json("a gap between segments", "segment 1 is missing", (content) => {
    content.segments[2] = linear("512", "512", ["backup-x"]);
  }),
  json("a segment with a huge number", "not a number from 0 to 31", (content) => {
    content.segments["268435472"] = linear("512", "512", ["backup-x"]);
  }),
  json("a segment after a backup", "follows a backup segment", (content) => {
    content.segments[1] = linear("512", "512", ["backup-x"]);
    content.segments[2] = linear("8388608", "512");
  }),
  json("only backup segments", "only backup segments", (content) => (content.segments[0].flags = ["backup-x"])),
  json("a backup segment", null, (content) => (content.segments[1] = linear("512", "512", ["backup-x"]))),
  json("flags that are an object", "flags is not an array", (content) => (content.segments[0].flags = {})),
  json("a flag that is a number", "flags.0 is not a string", (content) => (content.segments[0].flags = [1])),
  json("no segment at all", "no segments", (content) => {
    content.segments = {};
    content.digests[0].segments = [];
  }),
  json("a segment without digest", "segment 0 has no digest", (content) => (content.digests[0].segments = [])),
  json(
    "integrity without journal",
    "journal_encryption is missing",
    (content) => (content.segments[0].integrity = { type: "aead" }),
  ),
  json("a segment inside the header", "begins inside the header", (content) => (content.segments[0].offset = "65536")),
];
