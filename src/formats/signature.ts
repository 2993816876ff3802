import type { Area } from "./area.ts";
import { holds } from "./bytes.ts";
import type { Tags } from "./tags.ts";

/** Magic number: `text`, one byte a character, at `at` bytes from the start of the device; from its end if `at` is negative. */
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

/** Returns the first magic of the list that is on the device, with its place from the start, or null. */
export function findMagic(area: Area, magics: readonly Magic[]): Magic | null {
  const head = area.head();
  for (const magic of magics) {
    const at = magic.at < 0 ? area.size + magic.at : magic.at;
    // Inlined: there are some hundred magics, and hardly any of them is found.
    if (at + magic.text.length <= head.length) {
      if (head[at] === magic.text.charCodeAt(0) && holds(head, at, magic.text)) return { text: magic.text, at };
      continue;
    }
    const bytes = area.bytes(at, magic.text.length);
    if (bytes !== null && holds(bytes, 0, magic.text)) return { text: magic.text, at };
  }
  return null;
}
