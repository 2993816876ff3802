import { decodeLatin1 } from "../../formats/bytes.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import type { Tag } from "../../formats/tags.ts";
import { escapeUnprintable } from "../../formats/text.ts";

/** What a shell would interpret. */
const ESCAPED = " \\\"'$`<>";

/**
 * Formats `NAME=value` lines as `blkid -o export` does: control characters as `^A`, bytes from 128 on as `M-` and the rest,
 * a backslash before what a shell would interpret. Pure ASCII.
 */
export function formatExport(device: string, tags: readonly Tag[]): string {
  const lines = tags.map(({ name, value }) => `${name}=${decodeLatin1(value).replace(/./gs, formatByte)}\n`);
  return `DEVNAME=${device}\n${lines.join("")}`;
}

function formatByte(character: string): string {
  const byte = character.charCodeAt(0);
  const meta = byte >= 128 ? "M-" : "";
  const low = String.fromCharCode(byte & 0x7f);
  if (low < " " || low === "\x7f") return `${meta}^${String.fromCharCode((byte & 0x7f) ^ 0x40)}`;
  return `${meta}${ESCAPED.includes(low) ? "\\" : ""}${low}`;
}

/** Returns a partition for JSON; `start` and `size` are in units of 512 bytes. */
export function describePartition({ attributes, name, type, ...rest }: Partition) {
  return {
    ...rest,
    type: escapeUnprintable(type),
    name: name && escapeUnprintable(name),
    attributes: `0x${attributes.toString(16)}`,
  };
}
