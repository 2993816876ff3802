import type { Area } from "./area.ts";
import { holds } from "./bytes.ts";
import type { Tags } from "./tags.ts";

const UNIT_BYTES = 1024;

/** Bytes that give a type away: `text`, one byte a character, at `at` bytes from the start of the device. */
export interface Magic {
  readonly text: string;
  readonly at: number;
}

/** What libblkid calls USAGE. */
export type Usage = "filesystem" | "raid" | "crypto" | "other";

/** How one type is recognised. */
export interface Signature {
  /** TYPE. */
  readonly type: string;
  readonly usage: Usage;
  /** The first of these that is there is handed to `read`; an empty list asks `read` always. */
  readonly magics: readonly Magic[];
  /** Smaller devices are not examined, bytes. */
  readonly minSize?: number;
  /** True where the tool that makes it wipes the start of the device, so that an MBR there is newer and takes its place. */
  readonly wipesTable?: boolean;
  /** True where a second signature beside this one does not make the result ambivalent (hybrid images). */
  readonly isTolerant?: boolean;
  /** Looks closer and adds the tags; false where it is not this type after all. `magic` is null where the list is empty. */
  read(area: Area, tags: Tags, magic: Magic | null): boolean;
}

/** The first magic of the list that is on the device, or null. Spec: the 1 KiB around it must be readable, as in libblkid. */
export function findMagic(area: Area, magics: readonly Magic[]): Magic | null {
  const head = area.head();
  for (const magic of magics) {
    const start = magic.at - (magic.at % UNIT_BYTES);
    // Without a call for each of some hundred, of which next to none is there.
    if (start + UNIT_BYTES <= head.length) {
      if (head[magic.at] === magic.text.charCodeAt(0) && holds(head, magic.at, magic.text)) return magic;
      continue;
    }
    const block = area.bytes(start, UNIT_BYTES);
    if (block !== null && holds(block, magic.at - start, magic.text)) return magic;
  }
  return null;
}
