import { holds } from "../../formats/bytes.ts";
import { MAGIC } from "../archive/cpio.ts";
import { readCpioPart } from "../archive/cpio-reader.ts";

/** An archive of microcode has a directory for each part of the path, and two files. */
const MOST_MEMBERS = 16;

/** Divides an initramfs into the archive of microcode at its beginning (null: it has none) and the rest. */
export function splitMicrocode(initrd: Uint8Array): {
  readonly microcode: Uint8Array | null;
  readonly rest: Uint8Array;
} {
  const none = { microcode: null, rest: initrd };
  if (!holds(initrd, 0, MAGIC)) return none;
  const { members, end, problem } = readCpioPart(initrd, 0, MOST_MEMBERS);
  const isEarly = members.every(({ name }) => /^(\.|kernel(\/.*)?)$/.test(name));
  if (problem !== null || !isEarly || members.length === 0) return none;
  // `end` is behind the zeros that follow, so that both parts begin at a multiple of four.
  return { microcode: initrd.subarray(0, end), rest: initrd.subarray(end) };
}
