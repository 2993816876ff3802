import type { Segment } from "../../../../formats/lvm/volume-group.ts";

/** Returns a number of a segment; `fallback` if it has none, or a text: that could contain further words of the table, and name any device. */
export function countOf(fields: Segment["fields"], name: string, fallback: number): number {
  const value = fields.get(name);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
}

/** Returns a text of a segment, to look it up; empty if it has none. */
export function textOf(fields: Segment["fields"], name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
