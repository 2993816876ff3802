import { holds } from "../../formats/bytes.ts";

/**
 * Reads the `key=value` strings of a kernel module's .modinfo section (linux/moduleparam.h, elf(5)), in their order; empty if the
 * file is not a little-endian ELF or has no such section.
 */
export function readModinfo(bytes: Uint8Array): readonly { readonly key: string; readonly value: string }[] {
  const text = Buffer.from(findSection(bytes, ".modinfo") ?? []).toString("latin1");
  return text.split("\0").flatMap((entry) => {
    const equals = entry.indexOf("=");
    return equals < 1 ? [] : [{ key: entry.slice(0, equals), value: entry.slice(equals + 1) }];
  });
}

function findSection(bytes: Uint8Array, name: string): Uint8Array | null {
  try {
    const { count, read, namesIndex } = readSections(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    if (namesIndex >= count) return null;
    const names = read(namesIndex);
    for (let index = 0; index < count; index += 1) {
      const { nameOffset, offset, size } = read(index);
      if (holds(bytes, names.offset + nameOffset, `${name}\0`)) return bytes.subarray(offset, offset + size);
    }
    return null;
  } catch (error) {
    if (error instanceof RangeError) return null; // a table points outside the file
    throw error;
  }
}

/** Returns a reader of the section header table; DataView throws RangeError outside the file. */
function readSections(view: DataView) {
  const wide = view.getUint8(4) === 2;
  const isElf = view.getUint32(0) === 0x7f454c46 && view.getUint8(5) === 1;
  // Without BigInt: an image reads 20,000 headers.
  const word = (at: number) => view.getUint32(at, true) + (wide ? view.getUint32(at + 4, true) * 2 ** 32 : 0);
  const table = word(wide ? 40 : 32);
  const size = view.getUint16(wide ? 58 : 46, true);
  const read = (index: number) => {
    const at = table + index * size;
    return {
      nameOffset: view.getUint32(at, true),
      offset: word(at + (wide ? 24 : 16)),
      size: word(at + (wide ? 32 : 20)),
    };
  };
  return {
    read,
    count: isElf ? view.getUint16(wide ? 60 : 48, true) : 0,
    namesIndex: view.getUint16(wide ? 62 : 50, true),
  };
}
