import * as v from "valibot";
import type { EntryStatus } from "../../machine/trees.ts";
import type { Entry, Place } from "./layers.ts";

/** True for a path in a tree: no empty name, no "." and "..". */
const isInside = (path: string) =>
  path.split("/").every((name) => name !== "" && name !== "." && name !== "..") && !path.includes("\0");

const PATH = v.pipe(
  v.string(),
  v.check((path) => path === "" || isInside(path)),
);
const NUMBER = v.pipe(v.number(), v.integer(), v.minValue(0));
const ACCESS = { userId: NUMBER, groupId: NUMBER, mode: v.pipe(NUMBER, v.maxValue(0o7777)) };
/** By name, in base64. */
const ATTRIBUTES = v.record(v.pipe(v.string(), v.nonEmpty()), v.pipe(v.string(), v.base64()));
/** Nanoseconds. */
const TIME = v.pipe(v.string(), v.regex(/^-?\d{1,19}$/));

/** A change of a branch. All can be repeated: what is done already is left as it is. */
export const OPERATION = v.variant("kind", [
  /** Makes a directory, in place of anything else, and sets its attributes. `opaque`: it is not merged with lower ones. */
  v.object({ kind: v.literal("directory"), path: PATH, ...ACCESS, attributes: ATTRIBUTES, isOpaque: v.boolean() }),
  /** Puts the prepared item of that number in the place of what is there. */
  v.object({ kind: v.literal("place"), path: PATH, item: NUMBER }),
  /** Sets the attributes of a file. */
  v.object({ kind: v.literal("attributes"), path: PATH, ...ACCESS, attributes: ATTRIBUTES, modified: TIME }),
  /** Sets more extended attributes, and leaves the others: those of one entry can be more than a line of the journal may have. */
  v.object({ kind: v.literal("more attributes"), path: PATH, attributes: ATTRIBUTES }),
  /** Sets the time of a directory, after what changes it. */
  v.object({ kind: v.literal("time"), path: PATH, modified: TIME }),
  /** Removes an entry, and what is below it. */
  v.object({ kind: v.literal("remove"), path: PATH }),
]);

/** A change of a branch. */
export type Operation = v.InferOutput<typeof OPERATION>;

/** What is prepared before the first change. */
export type Item =
  | { readonly kind: "copy"; readonly top: Entry; readonly data: Place }
  /** One more name of a file that is in the branch already, at this path. */
  | { readonly kind: "kept"; readonly path: string }
  /** One more name of another item. */
  | { readonly kind: "link"; readonly item: number }
  | { readonly kind: "whiteout" };

/** Returns the parts of an operation that say who may use an entry. */
export function accessOf({ userId, groupId, mode }: EntryStatus): Pick<EntryStatus, "userId" | "groupId" | "mode"> {
  return { userId, groupId, mode };
}

const MOST_ATTRIBUTE_BYTES = 4 << 20;

/** Returns the attributes of an entry for its first operation, and operations for those that are too many for one. */
export function divideAttributes(
  path: string,
  attributes: ReadonlyMap<string, Uint8Array>,
): { readonly first: Record<string, string>; readonly more: readonly Operation[] } {
  const parts: Map<string, Uint8Array>[] = [new Map()];
  let bytes = 0;
  for (const [name, value] of attributes) {
    bytes += name.length + value.length;
    if (bytes > MOST_ATTRIBUTE_BYTES) {
      parts.push(new Map());
      bytes = name.length + value.length;
    }
    parts.at(-1)?.set(name, value);
  }
  const [first = {}, ...others] = parts.map(encodeAttributes);
  return { first, more: others.map((part) => ({ kind: "more attributes", path, attributes: part })) };
}

/** Returns attributes as an operation has them. */
function encodeAttributes(attributes: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...attributes].map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
}
