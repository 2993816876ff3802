import { decodeLatin1, holds, le16, le32 } from "../bytes.ts";

/** A section of a PE file; `offset` and `size` are those of its bytes in the file, without padding. */
export interface PeSection {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Where it is loaded, from the start of the image. */
  readonly address: number;
}

/** The headers of a PE file (Microsoft's "PE Format"), as far as an EFI program needs them. */
export interface PeFile {
  /** Where "PE\0\0" is: the headers follow. */
  readonly headersAt: number;
  /** The architecture, as 0x8664 for x86-64. */
  readonly machine: number;
  readonly sections: readonly PeSection[];
  /** Where the table of sections begins, and where the headers end. */
  readonly tableAt: number;
  readonly headersEnd: number;
  readonly sectionAlign: number;
  readonly fileAlign: number;
  /** Whether it has a signature (the certificate table of Authenticode). */
  readonly isSigned: boolean;
}

/** Bytes of the COFF header with "PE\0\0" before it, of the optional header up to the certificate table, and of a section's row. */
const COFF_BYTES = 24;
const OPTIONAL_LEAST_BYTES = 152;
/** Bytes of a row of the table of sections. */
export const PE_ROW_BYTES = 40;
/** PE32+, the 64-bit form. */
const PE32_PLUS = 0x20b;
/** The Linux kernel, `ukify` and firmware know fewer. */
const MOST_SECTIONS = 96;

/** Reads the headers of a 64-bit PE file; null if it is none, or if they are contradictory or cut off. */
export function readPe(bytes: Uint8Array): PeFile | null {
  if (!holds(bytes, 0, "MZ")) return null;
  const headersAt = le32(bytes, 0x3c);
  const optionalAt = headersAt + COFF_BYTES;
  const optionalBytes = le16(bytes, headersAt + 20);
  if (!holds(bytes, headersAt, "PE\0\0") || le16(bytes, optionalAt) !== PE32_PLUS) return null;
  const count = le16(bytes, headersAt + 6);
  const tableAt = optionalAt + optionalBytes;
  const headersEnd = le32(bytes, optionalAt + 60);
  const isWhole = tableAt + count * PE_ROW_BYTES <= headersEnd && headersEnd <= bytes.length;
  if (optionalBytes < OPTIONAL_LEAST_BYTES || count > MOST_SECTIONS || !isWhole) return null;
  const sections = Array.from({ length: count }, (_, index) => readRow(bytes, tableAt + index * PE_ROW_BYTES));
  if (sections.some(({ offset, size }) => offset + size > bytes.length)) return null;
  return {
    headersAt,
    machine: le16(bytes, headersAt + 4),
    sections,
    tableAt,
    headersEnd,
    sectionAlign: le32(bytes, optionalAt + 32),
    fileAlign: le32(bytes, optionalAt + 36),
    isSigned: le32(bytes, optionalAt + 148) > 0,
  };
}

/** Returns the content of the first section of this name; null if there is none. */
export function sectionOf(bytes: Uint8Array, { sections }: PeFile, name: string): Uint8Array | null {
  const section = sections.find((candidate) => candidate.name === name);
  return section === undefined ? null : bytes.subarray(section.offset, section.offset + section.size);
}

function readRow(bytes: Uint8Array, at: number): PeSection {
  const name = decodeLatin1(bytes.subarray(at, at + 8)).replace(/\0.*$/s, "");
  const [used, stored] = [le32(bytes, at + 8), le32(bytes, at + 16)];
  // The stored bytes are padded, and a section may be longer in memory than in the file.
  return { name, offset: le32(bytes, at + 20), size: Math.min(used, stored), address: le32(bytes, at + 12) };
}
