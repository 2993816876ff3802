import { type InvalidHeader, json, stricter } from "./invalid-header.ts";
import type { Luks2Json } from "./luks2-edit.ts";

const UINT64_MAX = "18446744073709551615";

/** A second keyslot like the first one, at `offset`, with the same digest. */
function addKeyslot(content: Luks2Json, offset: (first: number, size: number) => number): void {
  const first = content.keyslots[0];
  const [start, size] = [Number(first.area.offset), Number(first.area.size)];
  content.keyslots[1] = { ...first, area: { ...first.area, offset: String(offset(start, size)) } };
  content.digests[0].keyslots.push("1");
}

/** Corrupted keyslots and areas, after tests/generators/ of cryptsetup. */
export const INVALID_KEYSLOTS: readonly InvalidHeader[] = [
  json("two areas at one place", "overlap", (content) => addKeyslot(content, (start) => start)),
  json("two areas that share bytes", "overlap", (content) => addKeyslot(content, (start, size) => start + size - 4096)),
  json("two areas that touch", null, (content) => addKeyslot(content, (start, size) => start + size)),
  json(
    "an area in the header",
    "not inside the keyslots area",
    (content) => (content.keyslots[0].area.offset = "16384"),
  ),
  json("an area without bytes", "not inside the keyslots area", (content) => (content.keyslots[0].area.size = "0")),
  json(
    "an area beyond its place",
    "not inside the keyslots area",
    (content) => (content.keyslots[0].area.offset = "1048576"),
  ),
  json("an area of 2^64 bytes", "larger than any device", (content) => (content.keyslots[0].area.size = UINT64_MAX)),
  json(
    "an area of more than 64 bits",
    "larger than 64 bits",
    (content) => (content.keyslots[0].area.size = "99999999999999999999"),
  ),
  json("an area that is a number", "is not an object", (content) => (content.keyslots[0].area = 42)),
  json("an area of another type", "area.type is not valid", (content) => (content.keyslots[0].area.type = "other")),
  json("no area type", "area.type is missing", (content) => delete content.keyslots[0].area.type),
  stricter(
    json(
      "an area too small for its key",
      "too small for its key",
      (content) => (content.keyslots[0].area.size = "4096"),
    ),
  ),

  json("a keyslot that is a number", "keyslots.0 is not an object", (content) => (content.keyslots[0] = 42)),
  json("a keyslot without key_size", "key_size is missing", (content) => delete content.keyslots[0].key_size),
  json("a key_size of less than 0", "key_size is -1", (content) => (content.keyslots[0].key_size = -1)),
  json("a kdf that is a number", "kdf is not an object", (content) => (content.keyslots[0].kdf = 42)),
  json("no kdf", "kdf is missing", (content) => delete content.keyslots[0].kdf),
  json("an af that is a number", "af is not an object", (content) => (content.keyslots[0].af = 42)),
  json("an af type that is a number", "af.type is not a string", (content) => (content.keyslots[0].af.type = 42)),
  json("an af of another type", "af.type is not valid", (content) => (content.keyslots[0].af.type = "luks9")),
  stricter(json("an af with other stripes", "stripes is 2", (content) => (content.keyslots[0].af.stripes = 2))),
  json("pbkdf2 without iterations", "iterations is missing", (content) => delete content.keyslots[0].kdf.iterations),
  json("pbkdf2 with what is left of argon2", null, (content) => (content.keyslots[0].kdf.memory = 1)),
  json("argon2 with what is left of pbkdf2", null, (content) => {
    const { salt } = content.keyslots[0].kdf;
    content.keyslots[0].kdf = {
      type: "argon2id",
      salt,
      time: 4,
      memory: 64,
      cpus: 1,
      iterations: 1000,
      hash: "sha256",
    };
  }),
  json("argon2 without memory", "memory is missing", (content) => {
    content.keyslots[0].kdf = { type: "argon2id", salt: content.keyslots[0].kdf.salt, time: 4, cpus: 1 };
  }),
  stricter(json("a salt that is cut", "salt has 3 bytes", (content) => (content.keyslots[0].kdf.salt = "AAAA"))),
  stricter(json("a salt that is no Base64", "not Base64", (content) => (content.keyslots[0].kdf.salt = "!"))),
  stricter(json("a digest that is cut", "digest has 3 bytes", (content) => (content.digests[0].digest = "AAAA"))),
];
