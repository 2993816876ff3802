import { BootError } from "../../problems/errors.ts";

/** A value of a JSON text with its path for errors: "keyslots.0.area". */
export interface JsonField {
  readonly value: unknown;
  readonly path: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

const UINT32_MAX = 0xffffffff;
const UINT64_MAX = 0xffffffffffffffffn;
// More than any header has, so that errors and lists stay short. There are 32 objects of each kind.
const MAX_ENTRIES = 64;
const MAX_TEXT = 1024;
const MAX_NAME = 64;

/** Returns the field `name` of an object. Throws BootError if it is missing, or `object` is not an object. */
export function field(object: JsonField, name: string): JsonField {
  return optionalField(object, name) ?? fail(`${child(object, name)} is missing`);
}

/** Returns the field `name` of an object, or null if it is missing. */
export function optionalField(object: JsonField, name: string): JsonField | null {
  const value = asObject(object);
  return Object.hasOwn(value, name) ? { value: value[name], path: child(object, name) } : null;
}

/** Returns all fields of an object, numbers first and ascending. */
export function fieldsOf(object: JsonField): readonly (readonly [name: string, JsonField])[] {
  return Object.entries(asObject(object)).map(([name, value]) => [name, { value, path: child(object, name) }]);
}

/** Returns the entries of an array. */
export function entriesOf(array: JsonField): readonly JsonField[] {
  if (!Array.isArray(array.value)) return fail(`${array.path} is not an array`);
  if (array.value.length > MAX_ENTRIES) return fail(`${array.path} has more than ${MAX_ENTRIES} entries`);
  return array.value.map((value: unknown, index) => ({ value, path: `${array.path}.${index}` }));
}

/** Returns an object. */
export function asObject({ value, path }: JsonField): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(`${path} is not an object`);
  return value as JsonObject;
}

/** Returns a string, which `pattern` must match. */
export function asText({ value, path }: JsonField, pattern?: RegExp): string {
  if (typeof value !== "string") return fail(`${path} is not a string`);
  if (value.length > MAX_TEXT) return fail(`${path} is longer than ${MAX_TEXT} characters`);
  if (pattern !== undefined && !pattern.test(value)) return fail(`${path} is not valid`);
  return value;
}

/** Returns a JSON number that is an integer from `min` to `max`. */
export function asUint32({ value, path }: JsonField, min = 0, max = UINT32_MAX): number {
  if (typeof value !== "number" || !Number.isInteger(value)) return fail(`${path} is not an integer`);
  if (value < min || value > max) return fail(`${path} is ${value}, not from ${min} to ${max}`);
  return value;
}

/** Returns an unsigned integer of at most 64 bits from a decimal string, as LUKS2 writes offsets and sizes. */
export function asUint64(number: JsonField): bigint {
  const value = BigInt(asText(number, /^\d{1,20}$/));
  return value <= UINT64_MAX ? value : fail(`${number.path} is larger than 64 bits`);
}

/** Returns the same as an exact number, for offsets and sizes that a device must have. */
export function asSize(number: JsonField): number {
  const value = asUint64(number);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : fail(`${number.path} is larger than any device`);
}

/** Returns `min` to `max` bytes from Base64. */
export function asBytes(text: JsonField, min: number, max: number): Uint8Array {
  const value = decodeBase64(text);
  return value.length >= min && value.length <= max ? value : fail(`${text.path} has ${value.length} bytes`);
}

function decodeBase64(text: JsonField): Uint8Array {
  try {
    return Uint8Array.fromBase64(asText(text));
  } catch {
    return fail(`${text.path} is not Base64`);
  }
}

function child({ path }: JsonField, name: string): string {
  const short = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  return path === "" ? short : `${path}.${short}`;
}

function fail(message: string): never {
  throw new BootError(message);
}
