import { decodeLatin1, latin1 } from "../../formats/bytes.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import type { Tag } from "../../formats/tags.ts";
import { escapeUnprintable } from "../../formats/text.ts";

const ESCAPED = latin1(" \\\"'$`<>");
/** Needs no escape. */
const PLAIN = /^[!#%&(-;=?-[\]^_a-~]*$/;
const BACKSLASH = 0x5c;
const CARET = 0x5e;
const DELETE = 0x7f;

/**
 * Formats `NAME=value` lines as `blkid -o export` does: control characters as `^A`, bytes from 128 on as `M-` and the rest,
 * a backslash before what a shell would interpret. Pure ASCII.
 */
export function formatExport(device: string, tags: readonly Tag[]): string {
  const lines = tags.map(({ name, value }) => `${name}=${formatValue(value)}\n`);
  return `DEVNAME=${device}\n${lines.join("")}`;
}

function formatValue(value: Uint8Array): string {
  const text = decodeLatin1(value);
  if (PLAIN.test(text)) return text;
  return String.fromCharCode(...Array.from(value).flatMap(formatByte));
}

function formatByte(byte: number): readonly number[] {
  const meta = byte >= 128 ? [...latin1("M-")] : [];
  const low = byte & 0x7f;
  if (low < 32 || low === DELETE) return [...meta, CARET, low ^ 0x40];
  return ESCAPED.includes(low) ? [...meta, BACKSLASH, low] : [...meta, low];
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
