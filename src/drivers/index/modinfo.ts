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
    const sections = readSections(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const names = sections.all[sections.namesIndex];
    if (names === undefined) return null;
    const wanted = Buffer.from(`${name}\0`);
    for (const section of sections.all) {
      const at = names.offset + section.nameOffset;
      if (wanted.equals(bytes.subarray(at, at + wanted.length)))
        return bytes.subarray(section.offset, section.offset + section.size);
    }
    return null;
  } catch (error) {
    if (error instanceof RangeError) return null; // a table points outside the file
    throw error;
  }
}

/** Reads the section header table; DataView throws RangeError outside the file. */
function readSections(view: DataView) {
  const wide = view.getUint8(4) === 2;
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint8(5) !== 1) return { all: [], namesIndex: 0 };
  const word = (at: number) => (wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  const table = word(wide ? 40 : 32);
  const size = view.getUint16(wide ? 58 : 46, true);
  const count = view.getUint16(wide ? 60 : 48, true);
  const all = Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      nameOffset: view.getUint32(at, true),
      offset: word(at + (wide ? 24 : 16)),
      size: word(at + (wide ? 32 : 20)),
    };
  });
  return { all, namesIndex: view.getUint16(wide ? 62 : 50, true) };
}
