import { BootError } from "../../problems/errors.ts";
import type { Extent } from "./header.ts";

/** Throws BootError with their names if two extents overlap. There are 33 at most. */
export function checkApart(extents: readonly (Extent & { readonly name: string })[]): void {
  const sorted = [...extents].sort((one, other) => one.offset - other.offset);
  for (const [index, { name, offset }] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && before.offset + before.size > offset) {
      throw new BootError(`the areas of ${before.name} and ${name} overlap`);
    }
  }
}
