import type { Area } from "./area.ts";
import type { Magic, Signature, Usage } from "./signature.ts";
import { addBlockSize, addLabel, addTag, addUuid, addUuidText, addVersion, type Tags } from "./tags.ts";

/** Finds the header that holds a type's fields; null if the device does not hold that type after all. */
export type FindHeader = (area: Area, magic: Magic) => Uint8Array | null;
/** Adds the tags of one field of the header. */
export type Field = (tags: Tags, header: Uint8Array, magic: Magic) => void;

type Value<T> = (header: Uint8Array, magic: Magic) => T;
type Options = Pick<Signature, "minSize" | "wipesTable" | "isTolerant">;
type Row = (
  type: string,
  magics: readonly Magic[],
  header?: FindHeader,
  fields?: readonly Field[],
  options?: Options,
) => Signature;

const NO_MAGIC: Magic = { text: "", at: 0 };

/** Makes the signature of a type whose tags are the fields of one header; without `header` the magic alone decides. */
function rowOf(usage: Usage): Row {
  return (type, magics, header, fields = [], options = {}) => ({
    type,
    usage,
    magics,
    ...options,
    read(area, tags, magic) {
      if (header === undefined) return true;
      const found = header(area, magic ?? NO_MAGIC);
      if (found !== null) for (const field of fields) field(tags, found, magic ?? NO_MAGIC);
      return found !== null;
    },
  });
}

/** A row of a table of types that libblkid calls filesystems. */
export const filesystem = rowOf("filesystem");
/** A row for members of arrays and volume groups. */
export const raid = rowOf("raid");
/** A row for encrypted containers. */
export const crypto = rowOf("crypto");
/** A row of types for which libblkid has no better class. */
export const other = rowOf("other");

/** Alternative magics at one offset. A row without magics looks for its header in every device. */
export function at(offset: number, ...texts: readonly string[]): readonly Magic[] {
  return texts.map((text) => ({ text, at: offset }));
}

/** Finds `length` bytes at `offset` if `isValid` accepts them. */
export function header(offset: number, length: number, isValid: Value<boolean> = () => true): FindHeader {
  return (area, magic) => accept(area.bytes(offset, length), magic, isValid);
}

/** Finds `length` bytes that begin with the magic. */
export function fromMagic(length: number): FindHeader {
  return (area, magic) => area.bytes(magic.at, length);
}

/** Finds `length` bytes of the sector that is `sector` from the end, 1 for the last; null for partitions, because controllers write to whole disks. */
export function fromDiskEnd(sector: number, isValid: Value<boolean>, length = 512): FindHeader {
  return (area, magic) => {
    const offset = (Math.floor(area.size / 512) - sector) * 512;
    return area.kind === "partition" ? null : accept(area.bytes(offset, length), magic, isValid);
  };
}

/** Returns the bytes if `isValid` accepts them, or null. */
export function accept(bytes: Uint8Array | null, magic: Magic, isValid: Value<boolean>): Uint8Array | null {
  return bytes !== null && isValid(bytes, magic) ? bytes : null;
}

/** LABEL of `length` bytes. */
export function label(offset: number, length: number): Field {
  return (tags, bytes) => addLabel(tags, bytes.subarray(offset, offset + length));
}

/** UUID (or `name`) of 16 bytes. */
export function uuid(offset: number, name?: string): Field {
  return (tags, bytes) => addUuid(tags, bytes.subarray(offset, offset + 16), name);
}

/** UUID that is stored as text. */
export function uuidText(offset: number, length: number): Field {
  return (tags, bytes) => void addUuidText(tags, bytes.subarray(offset, offset + length));
}

/** Any tag; null adds none. */
export function tag(name: string, read: Value<string | Uint8Array | null>): Field {
  return (tags, bytes, magic) => {
    const value = read(bytes, magic);
    if (value !== null) addTag(tags, name, value);
  };
}

/** VERSION. */
export function version(read: string | Value<string | number>): Field {
  return (tags, bytes, magic) => addVersion(tags, String(typeof read === "string" ? read : read(bytes, magic)));
}

/** BLOCK_SIZE in bytes. */
export function blockSize(read: number | Value<number>): Field {
  return (tags, bytes, magic) => addBlockSize(tags, typeof read === "number" ? read : read(bytes, magic));
}

/** BLOCK_SIZE that is stored as a logarithm, counted in `unit` bytes; none for 32 and more. */
export function blockLog(read: Value<number>, unit = 1): Field {
  return (tags, bytes, magic) => {
    const log = read(bytes, magic);
    if (log < 32) addBlockSize(tags, (unit << log) >>> 0);
  };
}

/** Fields that exist under a condition. */
export function when(isThere: Value<boolean>, ...fields: readonly Field[]): Field {
  return (tags, bytes, magic) => {
    if (isThere(bytes, magic)) for (const field of fields) field(tags, bytes, magic);
  };
}
