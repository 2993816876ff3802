import { ALGORITHM_TEXT } from "../../crypto/cipher.ts";
import { BootError } from "../../problems/errors.ts";
import { type Kdf, type Keyslot, type LuksHeader, MAX_KEY_BYTES, type Segment, STRIPES, type Token } from "./header.ts";
import type { JsonField } from "./json-field.ts";
import * as json from "./json-field.ts";

/** The JSON text of a LUKS2 header (LUKS2 On-Disk Format Specification, 3.2–3.7), each object on its own. */
export interface Luks2Objects
  extends Pick<LuksHeader, "keyslots" | "digests" | "segments" | "tokens" | "flags" | "requirements"> {
  /** Bytes of the JSON area. */
  readonly jsonBytes: bigint;
  /** Bytes of all key material. */
  readonly keyslotsBytes: number;
}

const SALT_BYTES = 32;
// No cipher has more than 64; a larger key would only make the derivation longer.
const MAX_CIPHER_KEY_BYTES = 512;
const DIGEST_BYTES = { min: 20, max: 64 };
const SECTOR_SIZES = [512, 1024, 2048, 4096];
const PRIORITIES = ["ignore", "normal", "prefer"] as const;
// libcryptsetup knows 32 of each kind.
const NUMBER = /^(?:\d|[12]\d|3[01])$/;

/** Reads the objects of the JSON text. Throws BootError with the name of a field that is missing or not valid. */
export function readObjects(value: unknown): Luks2Objects {
  const root = { value, path: "" };
  const config = json.field(root, "config");
  const requirements = json.optionalField(config, "requirements");
  return {
    tokens: readNumbered(json.field(root, "tokens"), readToken),
    digests: readNumbered(json.field(root, "digests"), readDigest),
    segments: readNumbered(json.field(root, "segments"), readSegment),
    keyslots: readNumbered(json.field(root, "keyslots"), readKeyslot),
    flags: readTexts(json.optionalField(config, "flags")),
    requirements: readTexts(requirements && json.optionalField(requirements, "mandatory")),
    jsonBytes: json.asUint64(json.field(config, "json_size")),
    keyslotsBytes: json.asSize(json.field(config, "keyslots_size")),
  };
}

function readNumbered<Entry>(object: JsonField, read: (entry: JsonField, id: number) => Entry): readonly Entry[] {
  return json.fieldsOf(object).map(([name, entry]) => {
    if (!NUMBER.test(name)) throw new BootError(`${entry.path} is not a number from 0 to 31`);
    return read(entry, Number(name));
  });
}

function readKeyslot(slot: JsonField, id: number): Keyslot {
  const type = json.asText(json.field(slot, "type"));
  const area = json.field(slot, "area");
  json.asText(json.field(area, "type"));
  const priority = json.optionalField(slot, "priority");
  return {
    id,
    type,
    keyBytes: json.asUint32(json.field(slot, "key_size"), 1, MAX_KEY_BYTES),
    priority: priority === null ? "normal" : (PRIORITIES[json.asUint32(priority, 0, 2)] ?? "ignore"),
    area: { offset: json.asSize(json.field(area, "offset")), size: json.asSize(json.field(area, "size")) },
    lock: type === "luks2" ? readLock(slot, area) : null,
  };
}

function readLock(slot: JsonField, area: JsonField) {
  const split = json.field(slot, "af");
  json.asText(json.field(split, "type"), /^luks1$/);
  json.asUint32(json.field(split, "stripes"), STRIPES, STRIPES);
  json.asText(json.field(area, "type"), /^raw$/);
  return {
    kdf: readKdf(json.field(slot, "kdf")),
    cipher: json.asText(json.field(area, "encryption"), ALGORITHM_TEXT),
    cipherKeyBytes: json.asUint32(json.field(area, "key_size"), 1, MAX_CIPHER_KEY_BYTES),
    splitHash: json.asText(json.field(split, "hash"), ALGORITHM_TEXT),
  };
}

/** Old versions of cryptsetup left fields of another KDF, which are ignored. */
function readKdf(kdf: JsonField): Kdf {
  const type = json.asText(json.field(kdf, "type"));
  if (type === "pbkdf2") {
    const hash = json.asText(json.field(kdf, "hash"), ALGORITHM_TEXT);
    return { type, hash, iterations: json.asUint32(json.field(kdf, "iterations")), salt: readSalt(kdf) };
  }
  if (type !== "argon2i" && type !== "argon2id") return { type: "unknown", name: type };
  return {
    type,
    passes: json.asUint32(json.field(kdf, "time")),
    memoryKib: json.asUint32(json.field(kdf, "memory")),
    lanes: json.asUint32(json.field(kdf, "cpus")),
    salt: readSalt(kdf),
  };
}

function readDigest(digest: JsonField, id: number) {
  const type = json.asText(json.field(digest, "type"));
  const keyslots = readReferences(json.field(digest, "keyslots"));
  const segments = readReferences(json.field(digest, "segments"));
  if (type !== "pbkdf2") return { id, keyslots, segments, check: null };
  const hash = json.asText(json.field(digest, "hash"), ALGORITHM_TEXT);
  const kdf = {
    type,
    hash,
    iterations: json.asUint32(json.field(digest, "iterations")),
    salt: readSalt(digest),
  } as const;
  const value = json.asBytes(json.field(digest, "digest"), DIGEST_BYTES.min, DIGEST_BYTES.max);
  return { id, keyslots, segments, check: { kdf, value } };
}

function readSegment(segment: JsonField, id: number): Segment {
  const type = json.asText(json.field(segment, "type"));
  const size = json.field(segment, "size");
  return {
    id,
    type,
    offset: json.asUint64(json.field(segment, "offset")),
    size: size.value === "dynamic" ? null : json.asUint64(size),
    flags: readTexts(json.optionalField(segment, "flags")),
    crypt: type === "crypt" ? readCrypt(segment) : null,
  };
}

function readCrypt(segment: JsonField) {
  const sectorSize = json.field(segment, "sector_size");
  const sectorBytes = json.asUint32(sectorSize);
  if (!SECTOR_SIZES.includes(sectorBytes)) throw new BootError(`${sectorSize.path} is ${sectorBytes}`);
  const integrity = json.optionalField(segment, "integrity");
  for (const name of ["journal_encryption", "journal_integrity"]) {
    if (integrity !== null) json.asText(json.field(integrity, name));
  }
  return {
    cipher: json.asText(json.field(segment, "encryption"), ALGORITHM_TEXT),
    ivOffset: json.asUint64(json.field(segment, "iv_tweak")),
    sectorBytes,
    integrity: integrity === null ? null : json.asText(json.field(integrity, "type"), ALGORITHM_TEXT),
  };
}

function readToken(token: JsonField, id: number): Token {
  const type = json.asText(json.field(token, "type"));
  return { id, type, keyslots: readReferences(json.field(token, "keyslots")), content: json.asObject(token) };
}

function readSalt(object: JsonField): Uint8Array {
  return json.asBytes(json.field(object, "salt"), SALT_BYTES, SALT_BYTES);
}

function readReferences(array: JsonField): readonly number[] {
  return json.entriesOf(array).map((entry) => Number(json.asText(entry, NUMBER)));
}

function readTexts(array: JsonField | null): readonly string[] {
  return array === null ? [] : json.entriesOf(array).map((entry) => json.asText(entry));
}
