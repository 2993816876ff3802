import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { align } from "../../src/desk/archive/cpio.ts";
import { BootError } from "../../src/problems/errors.ts";

/**
 * Bun contains ICU's data for every language: 11.6 MiB, of which 2.9 MiB are for English or for no language. The rest becomes
 * zeros, which saves 7 MiB of a compressed image. No address moves, because code refers to what lies behind the package.
 *
 * The package is ICU's CmnD, which source/tools/toolutil/package.cpp writes and source/common/ucmndata.cpp reads: a header, the
 * number of entries, for each entry the offsets of its name and of its data, the names, and the data in the order of the names.
 * Bun compresses most entries with zstd.
 */

/** The version of ICU that KEPT was chosen for, from the names in the package; test/unit/build/runtime compares its behaviour. */
const ICU_VERSION = 78;
/** Entries are named "icudt78l/zone/en_US.res"; "l" stands for little-endian and ASCII. */
const PREFIX = `icudt${ICU_VERSION}l/`;
/** Word lists of languages that are written without spaces. */
const DICTIONARY = /\.dict$/;
/** A file of one language, or res_index.res, the list of all languages. */
const OF_A_LANGUAGE = /(^|\/)([a-z]{2,3}(_\w*)?|res_index)\.res$/;
const ENGLISH = /(^|\/)(en|en_US|en_001)\.res$/;

// unicode/udata.h: UDataInfo follows headerSize (16 bits) and two magic bytes.
const MAGIC = [0xda, 0x27];
const FORMAT = "CmnD";
const FORMAT_OFFSET = 12;
const INFO_SIZE = 20;
const ENTRY_SIZE = 8;
const ALIGNMENT = 16;
const LONGEST_NAME = 100;
const ZSTD_MAGIC = 0xfd2fb528;

interface Entry {
  readonly name: string;
  readonly data: Buffer;
}

/** Where the package is in the program; all offsets in it count from `start`, and `end` is the beginning of its last entry. */
interface Package {
  readonly start: number;
  readonly end: number;
  /** Without the last one, whose length is not recorded. */
  readonly entries: readonly Entry[];
}

type Refuse = (reason: string) => never;

/** Trims ICU's data in the executable at `path`. Throws BootError if its package is not as expected. */
export function trimIcuFile(path: string): void {
  const program = readFileSync(path);
  trimIcu(program, basename(path));
  writeFileSync(path, program);
}

/** Trims ICU's data in an executable. Throws BootError, with nothing changed, if its package is not as expected. */
export function trimIcu(program: Buffer, name: string): void {
  const refuse: Refuse = (reason) => {
    throw new BootError(`cannot trim the ICU data of ${name}: ${reason}`, {
      hint: `build with the Bun that package-lock.json names; build/runtime/icu.ts knows ICU ${ICU_VERSION}`,
    });
  };
  const { start, end, entries } = readPackage(program, findHeader(program, refuse), refuse);
  const kept = entries.filter(({ name: entry }) => isKept(entry));
  for (const entry of kept) checkFormat(entry, refuse);
  const trimmed = makePackage(kept);
  program.fill(0, start, end);
  program.set(trimmed, start);
}

function isKept(name: string): boolean {
  return !DICTIONARY.test(name) && (ENGLISH.test(name) || !OF_A_LANGUAGE.test(name));
}

/** Returns the offset of the package's header. The compiled code contains the letters of the format, too. */
function findHeader(program: Buffer, refuse: Refuse): number {
  const found: number[] = [];
  for (let at = program.indexOf(FORMAT); at >= 0; at = program.indexOf(FORMAT, at + 1)) {
    const header = at - FORMAT_OFFSET;
    if (header >= 0 && MAGIC.every((byte, index) => program[header + 2 + index] === byte)) found.push(header);
  }
  const [header] = found;
  if (header === undefined) return refuse("it contains no data package (CmnD)");
  if (found.length > 1) refuse(`it contains ${found.length} data packages`);
  return header;
}

/** Returns where the package begins behind its header. */
function checkHeader(program: Buffer, header: number, refuse: Refuse): number {
  const start = header + program.readUInt16LE(header);
  const [infoSize, endianness, charset, unitSize] = [4, 8, 9, 10].map((offset) => program[header + offset]);
  const version = [...program.subarray(header + 16, header + 20)].join(".");
  if (endianness !== 0) refuse("its data package is big-endian");
  if (charset !== 0 || unitSize !== 2 || infoSize !== INFO_SIZE) refuse("its data package is for another machine");
  if (version !== "1.0.0.0") refuse(`its data package has the format version ${version}`);
  if (start < header + 4 + INFO_SIZE || start + 4 > program.length) refuse("its data package has a malformed header");
  return start;
}

function readPackage(program: Buffer, header: number, refuse: Refuse): Package {
  const start = checkHeader(program, header, refuse);
  const count = program.readUInt32LE(start);
  const tableEnd = 4 + count * ENTRY_SIZE;
  if (count < 2 || start + tableEnd > program.length) refuse(`its data package has ${count} entries`);
  const places = Array.from({ length: count }, (_, index) => {
    const at = start + 4 + index * ENTRY_SIZE;
    return { name: readName(program, start + program.readUInt32LE(at), refuse), at: program.readUInt32LE(at + 4) };
  });
  checkPlaces(places, tableEnd, program.length - start, refuse);
  const last = places.pop() ?? { name: "", at: 0 };
  // Its length is not recorded, so that it could not be copied.
  if (isKept(last.name)) refuse(`its last entry is ${last.name}, which is one to keep`);
  const end = start + last.at;
  const entries = places.map(({ name, at }, index) => {
    const next = places[index + 1]?.at;
    return { name, data: program.subarray(start + at, next === undefined ? end : start + next) };
  });
  return { start, end, entries };
}

function readName(program: Buffer, at: number, refuse: Refuse): string {
  const end = program.indexOf(0, at);
  if (at >= program.length || end < 0 || end - at > LONGEST_NAME) refuse("a name in its data package is malformed");
  const name = program.toString("latin1", at, end);
  if (!name.startsWith(PREFIX))
    refuse(`its data package contains "${name}", not files of ICU ${ICU_VERSION} (${PREFIX}…)`);
  return name.slice(PREFIX.length);
}

/** ICU finds an entry by a binary search over the names, and its length from the next entry. */
function checkPlaces(
  places: readonly { readonly name: string; readonly at: number }[],
  first: number,
  limit: number,
  refuse: Refuse,
): void {
  let previous = { name: "", at: first - 1 };
  for (const place of places) {
    if (place.name <= previous.name) refuse(`its data package does not sort ${place.name} by name`);
    const isInOrder = place.at > previous.at && place.at < limit && place.at % ALIGNMENT === 0;
    if (!isInOrder) refuse(`its data package has ${place.name} at a wrong place`);
    previous = place;
  }
}

/** Throws if the entry is neither plain, with ICU's own header, nor a zstd frame: it may have been changed in another way. */
function checkFormat({ name, data }: Entry, refuse: Refuse): void {
  const isPlain = MAGIC.every((byte, index) => data[2 + index] === byte);
  const isZstd = data.length >= 4 && data.readUInt32LE(0) === ZSTD_MAGIC;
  if (!isPlain && !isZstd) refuse(`its entry ${name} is in an unknown format`);
}

/** Returns what follows the header of a package with these entries, which are sorted by name. */
function makePackage(entries: readonly Entry[]): Buffer {
  const names = entries.map(({ name }) => `${PREFIX}${name}\0`);
  const tableEnd = 4 + entries.length * ENTRY_SIZE;
  let end = align(tableEnd + names.join("").length, ALIGNMENT);
  const places = entries.map(({ data }) => {
    const at = end;
    end = align(at + data.length, ALIGNMENT);
    return at;
  });
  const made = Buffer.alloc(end);
  made.writeUInt32LE(entries.length, 0);
  let nameAt = tableEnd;
  for (const [index, { data }] of entries.entries()) {
    const at = places[index] ?? 0;
    made.writeUInt32LE(nameAt, 4 + index * ENTRY_SIZE);
    made.writeUInt32LE(at, 4 + index * ENTRY_SIZE + 4);
    nameAt += made.write(names[index] ?? "", nameAt, "latin1");
    made.set(data, at);
  }
  return made;
}
