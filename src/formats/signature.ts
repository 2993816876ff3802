import type { Area } from "./area.ts";
import { holds } from "./bytes.ts";
import type { Tags } from "./tags.ts";

const UNIT_BYTES = 1024;

/** Magic number: `text`, one byte a character, at `at` bytes from the start of the device. */
export interface Magic {
  readonly text: string;
  readonly at: number;
}

/** libblkid's USAGE. */
export type Usage = "filesystem" | "raid" | "crypto" | "other";

/** How one type is recognised. */
export interface Signature {
  /** TYPE. */
  readonly type: string;
  readonly usage: Usage;
  /** `read` gets the first of these that is found; without magics it is called for every device. */
  readonly magics: readonly Magic[];
  /** In bytes; smaller devices are not examined. */
  readonly minSize?: number;
  /** True if the tool that creates it wipes the start of the device, so that an MBR there is newer and wins. */
  readonly wipesTable?: boolean;
  /** True if a second signature does not make the result ambivalent (hybrid images). */
  readonly isTolerant?: boolean;
  /** Checks the device and adds the tags; false if it is not this type after all. `magic` is null if the list is empty. */
  read(area: Area, tags: Tags, magic: Magic | null): boolean;
}

/** Returns the first magic of the list that is on the device, or null. The KiB around it must be readable, as in libblkid. */
export function findMagic(area: Area, magics: readonly Magic[]): Magic | null {
  const head = area.head();
  for (const magic of magics) {
    const start = magic.at - (magic.at % UNIT_BYTES);
    // Inlined: there are some hundred magics, and hardly any of them is found.
    if (start + UNIT_BYTES <= head.length) {
      if (head[magic.at] === magic.text.charCodeAt(0) && holds(head, magic.at, magic.text)) return magic;
      continue;
    }
    const block = area.bytes(start, UNIT_BYTES);
    if (block !== null && holds(block, magic.at - start, magic.text)) return magic;
  }
  return null;
}
