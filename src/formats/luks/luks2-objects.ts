import { ALGORITHM_TEXT } from "../../crypto/cipher.ts";
import { BootError } from "../../problems/errors.ts";
import {
  type CryptSegment,
  type Digest,
  type Kdf,
  type Keyslot,
  type KeyslotLock,
  MAX_KEY_BYTES,
  type Segment,
  STRIPES,
  type Token,
} from "./header.ts";
import {
  asBytes,
  asObject,
  asSize,
  asText,
  asUint32,
  asUint64,
  entriesOf,
  field,
  fieldsOf,
  type JsonField,
  optionalField,
} from "./json-field.ts";

/** The JSON text of a LUKS2 header (LUKS2 On-Disk Format Specification, 3.2–3.7), each object on its own. */
export interface Luks2Objects {
  readonly keyslots: readonly Keyslot[];
  readonly digests: readonly Digest[];
  readonly segments: readonly Segment[];
  readonly tokens: readonly Token[];
  readonly flags: readonly string[];
  readonly requirements: readonly string[];
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
export function readObjects(json: unknown): Luks2Objects {
  const root = { value: json, path: "" };
  const config = field(root, "config");
  const requirements = optionalField(config, "requirements");
  return {
    tokens: readNumbered(field(root, "tokens"), readToken),
    digests: readNumbered(field(root, "digests"), readDigest),
    segments: readNumbered(field(root, "segments"), readSegment),
    keyslots: readNumbered(field(root, "keyslots"), readKeyslot),
    flags: readTexts(optionalField(config, "flags")),
    requirements: readTexts(requirements && optionalField(requirements, "mandatory")),
    jsonBytes: asUint64(field(config, "json_size")),
    keyslotsBytes: asSize(field(config, "keyslots_size")),
  };
}

function readNumbered<Entry>(object: JsonField, read: (entry: JsonField, id: number) => Entry): readonly Entry[] {
  return fieldsOf(object).map(([name, entry]) => {
    if (!NUMBER.test(name)) throw new BootError(`${entry.path} is not a number from 0 to 31`);
    return read(entry, Number(name));
  });
}

function readKeyslot(slot: JsonField, id: number): Keyslot {
  const type = asText(field(slot, "type"));
  const area = field(slot, "area");
  asText(field(area, "type"));
  const priority = optionalField(slot, "priority");
  return {
    id,
    type,
    keyBytes: asUint32(field(slot, "key_size"), 1, MAX_KEY_BYTES),
    priority: priority === null ? "normal" : (PRIORITIES[asUint32(priority, 0, 2)] ?? "ignore"),
    area: { offset: asSize(field(area, "offset")), size: asSize(field(area, "size")) },
    lock: type === "luks2" ? readLock(slot, area) : null,
  };
}

function readLock(slot: JsonField, area: JsonField): KeyslotLock {
  const split = field(slot, "af");
  asText(field(split, "type"), /^luks1$/);
  asUint32(field(split, "stripes"), STRIPES, STRIPES);
  asText(field(area, "type"), /^raw$/);
  return {
    kdf: readKdf(field(slot, "kdf")),
    cipher: asText(field(area, "encryption"), ALGORITHM_TEXT),
    cipherKeyBytes: asUint32(field(area, "key_size"), 1, MAX_CIPHER_KEY_BYTES),
    splitHash: asText(field(split, "hash"), ALGORITHM_TEXT),
  };
}

/** Old versions of cryptsetup left fields of another KDF, which are ignored. */
function readKdf(kdf: JsonField): Kdf {
  const type = asText(field(kdf, "type"));
  if (type === "pbkdf2") {
    const hash = asText(field(kdf, "hash"), ALGORITHM_TEXT);
    return { type, hash, iterations: asUint32(field(kdf, "iterations")), salt: readSalt(kdf) };
  }
  if (type !== "argon2i" && type !== "argon2id") return { type: "unknown", name: type };
  return {
    type,
    passes: asUint32(field(kdf, "time")),
    memoryKib: asUint32(field(kdf, "memory")),
    lanes: asUint32(field(kdf, "cpus")),
    salt: readSalt(kdf),
  };
}

function readDigest(digest: JsonField, id: number): Digest {
  const type = asText(field(digest, "type"));
  const keyslots = readReferences(field(digest, "keyslots"));
  const segments = readReferences(field(digest, "segments"));
  if (type !== "pbkdf2") return { id, keyslots, segments, check: null };
  const hash = asText(field(digest, "hash"), ALGORITHM_TEXT);
  const kdf = { type, hash, iterations: asUint32(field(digest, "iterations")), salt: readSalt(digest) } as const;
  const value = asBytes(field(digest, "digest"), DIGEST_BYTES.min, DIGEST_BYTES.max);
  return { id, keyslots, segments, check: { kdf, value } };
}

function readSegment(segment: JsonField, id: number): Segment {
  const type = asText(field(segment, "type"));
  const size = field(segment, "size");
  return {
    id,
    type,
    offset: asUint64(field(segment, "offset")),
    size: size.value === "dynamic" ? null : asUint64(size),
    flags: readTexts(optionalField(segment, "flags")),
    crypt: type === "crypt" ? readCrypt(segment) : null,
  };
}

function readCrypt(segment: JsonField): CryptSegment {
  const sectorSize = field(segment, "sector_size");
  const sectorBytes = asUint32(sectorSize);
  if (!SECTOR_SIZES.includes(sectorBytes)) throw new BootError(`${sectorSize.path} is ${sectorBytes}`);
  const integrity = optionalField(segment, "integrity");
  if (integrity !== null) {
    for (const name of ["journal_encryption", "journal_integrity"]) asText(field(integrity, name));
  }
  return {
    cipher: asText(field(segment, "encryption"), ALGORITHM_TEXT),
    ivOffset: asUint64(field(segment, "iv_tweak")),
    sectorBytes,
    integrity: integrity === null ? null : asText(field(integrity, "type"), ALGORITHM_TEXT),
  };
}

function readToken(token: JsonField, id: number): Token {
  const type = asText(field(token, "type"));
  return { id, type, keyslots: readReferences(field(token, "keyslots")), content: asObject(token) };
}

function readSalt(object: JsonField): Uint8Array {
  return asBytes(field(object, "salt"), SALT_BYTES, SALT_BYTES);
}

function readReferences(array: JsonField): readonly number[] {
  return entriesOf(array).map((entry) => Number(asText(entry, NUMBER)));
}

function readTexts(array: JsonField | null): readonly string[] {
  return array === null ? [] : entriesOf(array).map((entry) => asText(entry));
}
