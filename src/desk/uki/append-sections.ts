import { le32 } from "../../formats/bytes.ts";
import { PE_ROW_BYTES, type PeFile, readPe } from "../../formats/kernels/pe.ts";
import { BootError } from "../../problems/errors.ts";
import { align } from "../archive/cpio.ts";

/** A section to append: a name of eight letters or less, and its bytes. */
export interface NewSection {
  readonly name: string;
  readonly data: Uint8Array;
}

/** IMAGE_SCN_CNT_CODE and IMAGE_SCN_CNT_INITIALIZED_DATA, each with IMAGE_SCN_MEM_READ. The kernel alone is code. */
const CODE = 0x4000_0020;
const DATA = 0x4000_0040;
/** IMAGE_FILE_LOCAL_SYMS_STRIPPED. */
const LOCAL_SYMBOLS_STRIPPED = 8;

/**
 * Returns a PE program with more sections behind its own, in pieces: the same for the same input. The stub finds them by their
 * names. Throws BootError if its headers leave no room for them; `path` is for that message.
 */
export function appendSections(program: Uint8Array, added: readonly NewSection[], path: string): readonly Uint8Array[] {
  const pe = readPe(program);
  if (pe === null) throw new BootError(`${path} is not a program for EFI`, { hint: "name systemd's stub with --stub" });
  refuse(pe, added, path);
  // What is behind the last section is the signature, which would no longer be right.
  const end = Math.max(...pe.sections.map(({ offset, size }) => offset + size), pe.headersEnd);
  const head = new Uint8Array(align(end, pe.fileAlign));
  head.set(program.subarray(0, end));
  const pieces: Uint8Array[] = [head];
  let address = align(endOfMemory(program, pe), pe.sectionAlign);
  let offset = head.length;
  for (const [index, { name, data }] of added.entries()) {
    const stored = align(data.length, pe.fileAlign);
    const at = pe.tableAt + (pe.sections.length + index) * PE_ROW_BYTES;
    writeRow(head.subarray(at, at + PE_ROW_BYTES), { name, used: data.length, address, stored, offset });
    pieces.push(data, new Uint8Array(stored - data.length));
    address = align(address + data.length, pe.sectionAlign);
    offset += stored;
  }
  writeHeaders(head, pe, added, address);
  return pieces;
}

function refuse(pe: PeFile, added: readonly NewSection[], path: string): void {
  const taken = added.find(({ name }) => pe.sections.some((section) => section.name === name));
  if (taken !== undefined) {
    throw new BootError(`${path} has a section ${taken.name} already: it is no bare stub`, {
      hint: "name systemd's stub with --stub: linuxx64.efi.stub or linuxaa64.efi.stub of the package systemd-boot-efi",
    });
  }
  const room = Math.floor((pe.headersEnd - pe.tableAt) / PE_ROW_BYTES) - pe.sections.length;
  if (added.length > room) {
    throw new BootError(`${path} has room for ${room} more sections, and the image needs ${added.length}`, {
      hint: "leave out --splash, or use a newer stub with --stub",
    });
  }
}

/** What a section takes in memory may be more than what it has in the file. */
function endOfMemory(program: Uint8Array, { sections, tableAt }: PeFile): number {
  const ends = sections.map(({ address }, index) => address + le32(program, tableAt + index * PE_ROW_BYTES + 8));
  return Math.max(0, ...ends);
}

interface Row {
  readonly name: string;
  readonly used: number;
  readonly address: number;
  readonly stored: number;
  readonly offset: number;
}

function writeRow(row: Uint8Array, { name, used, address, stored, offset }: Row): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  row.fill(0);
  row.set(new TextEncoder().encode(name));
  for (const [at, value] of [
    [8, used],
    [12, address],
    [16, stored],
    [20, offset],
    [36, name === ".linux" ? CODE : DATA],
  ] as const) {
    view.setUint32(at, value, true);
  }
}

function writeHeaders(head: Uint8Array, pe: PeFile, added: readonly NewSection[], endOfImage: number): void {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const optional = pe.headersAt + 24;
  const data = added.reduce((sum, section) => sum + align(section.data.length, pe.fileAlign), 0);
  // The table of symbols, of which stubs keep the place only: images have none.
  view.setUint32(pe.headersAt + 12, 0, true);
  view.setUint32(pe.headersAt + 16, 0, true);
  view.setUint16(pe.headersAt + 22, view.getUint16(pe.headersAt + 22, true) | LOCAL_SYMBOLS_STRIPPED, true);
  view.setUint16(pe.headersAt + 6, pe.sections.length + added.length, true);
  view.setUint32(optional + 8, view.getUint32(optional + 8, true) + data, true); // SizeOfInitializedData
  view.setUint32(optional + 56, endOfImage, true);
  view.setUint32(optional + 64, 0, true); // CheckSum: 0 is none, and firmware reads none
  view.setUint32(optional + 144, 0, true); // the certificate table: its place, and its size
  view.setUint32(optional + 148, 0, true);
}
