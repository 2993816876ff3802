import { type InvalidHeader, json, stricter } from "./invalid-header.ts";

/** Corrupted sections, references and configuration, after tests/generators/ of cryptsetup. */
export const INVALID_OBJECTS: readonly InvalidHeader[] = [
  json("no tokens", "tokens is missing", (content) => delete content.tokens),
  json("no digests", "digests is missing", (content) => delete content.digests),
  json("no segments", "segments is missing", (content) => delete content.segments),
  json("no keyslots", "keyslots is missing", (content) => delete content.keyslots),
  json("no config", "config is missing", (content) => delete content.config),
  json("tokens are a number", "tokens is not an object", (content) => (content.tokens = 42)),
  json("digests are a number", "digests is not an object", (content) => (content.digests = 42)),
  json("segments are an array", "segments is not an object", (content) => (content.segments = [content.segments[0]])),
  json("keyslots are null", "keyslots is not an object", (content) => (content.keyslots = null)),
  json("config is a text", "config is not an object", (content) => (content.config = "x")),

  json("a digest of a keyslot that is not there", "refers to keyslot 5", (content) =>
    content.digests[0].keyslots.push("5"),
  ),
  json("a digest of a segment that is not there", "refers to segment 5", (content) =>
    content.digests[0].segments.push("5"),
  ),
  json(
    "a token of a keyslot that is not there",
    "refers to keyslot 7",
    (content) => (content.tokens[0] = { type: "x", keyslots: ["7"] }),
  ),
  json("a token without type", "tokens.0.type is missing", (content) => (content.tokens[0] = { keyslots: ["0"] })),
  json("a token without keyslots", "tokens.0.keyslots is missing", (content) => (content.tokens[0] = { type: "x" })),
  json("a token that is a number", "tokens.0 is not an object", (content) => (content.tokens[0] = 42)),
  json("a token with a number as its name", null, (content) => (content.tokens[31] = { type: "x", keyslots: [] })),
  json("a token that is named", "not a number", (content) => (content.tokens.x = { type: "x", keyslots: [] })),
  json("a keyslot without digest", "no digest", (content) => (content.digests[0].keyslots = [])),
  json(
    "a keyslot with two digests",
    "several digests",
    (content) => (content.digests[1] = { ...content.digests[0], segments: [] }),
  ),
  json("a reference that is a number", "is not a string", (content) => (content.digests[0].keyslots = [0])),

  json(
    "a keyslots area that reaches into the data",
    "begins inside the header",
    (content) => (content.config.keyslots_size = "8388608"),
  ),
  json("a keyslots area of no whole pages", "keyslots area", (content) => (content.config.keyslots_size = "1048577")),
  json(
    "a keyslots area smaller than its areas",
    "not inside the keyslots area",
    (content) => (content.config.keyslots_size = "4096"),
  ),
  json("a keyslots area of 256 MiB", "keyslots area", (content) => (content.config.keyslots_size = String(2 ** 28))),
  json("json_size that is no size", "json_size is not valid", (content) => (content.config.json_size = "x")),
  json("json_size of another header", "two sizes", (content) => (content.config.json_size = "28672")),
  json("json_size of nothing", "two sizes", (content) => (content.config.json_size = "8192")),
  json("config flags that are a text", "config.flags is not an array", (content) => (content.config.flags = "x")),
  json(
    "requirements that are an array",
    "requirements is not an object",
    (content) => (content.config.requirements = []),
  ),
  json(
    "mandatory that is a text",
    "mandatory is not an array",
    (content) => (content.config.requirements = { mandatory: "x" }),
  ),
  // Each of them would be told on the console of a boot.
  stricter(
    json(
      "more flags than can be told",
      "config.flags has more than 64 entries",
      (content) => (content.config.flags = Array.from({ length: 65 }, (_, index) => `flag-${index}`)),
    ),
  ),
  json(
    "as many flags as can be",
    null,
    (content) => (content.config.flags = Array.from({ length: 64 }, (_, index) => `flag-${index}`)),
  ),
  stricter(
    json(
      "a type that is a book",
      "tokens.0.type is longer than 1024 characters",
      (content) => (content.tokens[0] = { type: "x".repeat(1025), keyslots: [] }),
    ),
  ),
  json(
    "a number that is a book",
    `keyslots.${"x".repeat(64)}… is not a number`,
    (content) => (content.keyslots["x".repeat(2000)] = content.keyslots[0]),
  ),
  json("an optional requirement", null, (content) => (content.config.requirements = { optional: ["x"] })),
];
