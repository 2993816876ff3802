import { BootError } from "../problems/errors.ts";
import { holds, le16 } from "./bytes.ts";

/** Where the image has its keymaps: NAME.bmap. */
export const KEYMAP_DIRECTORY = "/etc/levain/keymaps";
/** Suffix of their names. */
export const KEYMAP_ENDING = ".bmap";

const MAGIC = "bkeymap";
/** MAX_NR_KEYMAPS of linux/keyboard.h. */
const TABLES = 256;
/** Keys of a table in the format (NR_KEYS of BusyBox's loadkmap.c). */
const KEYS = 128;
const HEAD_BYTES = MAGIC.length + TABLES;

/**
 * Parses a keymap in the format of BusyBox's loadkmap and of `loadkeys -b`: "bkeymap", a byte for each table that says whether
 * it is present, and the present ones, each 128 u16 (little-endian) for KDSKBENT. Returns them by number. Throws BootError.
 */
export function parseKeymap(bytes: Uint8Array): ReadonlyMap<number, Uint16Array> {
  if (!holds(bytes, 0, MAGIC) || bytes.length < HEAD_BYTES) {
    throw damaged("it does not begin with the magic and the list of tables");
  }
  const present = [...bytes.subarray(MAGIC.length, HEAD_BYTES)];
  const numbers = present.flatMap((isPresent, number) => (isPresent === 0 ? [] : number));
  const expectedBytes = HEAD_BYTES + numbers.length * KEYS * 2;
  if (numbers.length === 0) throw damaged("it has no table");
  if (bytes.length !== expectedBytes) {
    throw damaged(`Expected ${expectedBytes} bytes for ${numbers.length} tables but received ${bytes.length}`);
  }
  const tables = numbers.map((number, index) => {
    const start = HEAD_BYTES + index * KEYS * 2;
    return [number, Uint16Array.from({ length: KEYS }, (_, key) => le16(bytes, start + key * 2))] as const;
  });
  return new Map(tables);
}

function damaged(why: string): BootError {
  return new BootError("not a keymap in the format of `loadkeys -b`", { cause: new BootError(why) });
}
