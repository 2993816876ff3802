import { decodeLatin1, holds, le16, le32 } from "../bytes.ts";

const HEADER_BYTES = 24;
const SECTION_BYTES = 40;

/**
 * Returns the content of the sections of a PE file by name (PE Format of Microsoft, COFF File Header and Section Table), of several with one name the
 * first; null if it is none, or is cut off. The alignment at the end of a section is left out.
 */
export function readPeSections(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> | null {
  if (!holds(bytes, 0, "MZ") || bytes.length < 0x40) return null;
  const header = le32(bytes, 0x3c);
  if (header + HEADER_BYTES > bytes.length || !holds(bytes, header, "PE\0\0")) return null;
  const table = header + HEADER_BYTES + le16(bytes, header + 20);
  const sections = new Map<string, Uint8Array>();
  for (let index = 0; index < le16(bytes, header + 6); index += 1) {
    const at = table + index * SECTION_BYTES;
    if (at + SECTION_BYTES > bytes.length) return null;
    const name = decodeLatin1(bytes.subarray(at, at + 8)).replace(/\0+$/, "");
    const size = Math.min(le32(bytes, at + 8), le32(bytes, at + 16));
    const start = le32(bytes, at + 20);
    if (start + size > bytes.length) return null;
    if (!sections.has(name)) sections.set(name, bytes.subarray(start, start + size));
  }
  return sections;
}
