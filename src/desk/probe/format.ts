import { decodeLatin1, latin1 } from "../../formats/bytes.ts";
import type { Partition } from "../../formats/partitions/model.ts";
import type { Tag } from "../../formats/tags.ts";
import { escapeUnprintable } from "../../formats/text.ts";

const ESCAPED = latin1(" \\\"'$`<>");
/** Nothing in it needs another spelling. */
const PLAIN = /^[!#%&(-;=?-[\]^_a-~]*$/;
const BACKSLASH = 0x5c;
const CARET = 0x5e;
const DELETE = 0x7f;

/**
 * `NAME=value` lines as `blkid -o export` prints them: control characters as `^A`, bytes from 128 on as `M-` and the rest,
 * and a backslash before what a shell would take for itself. Pure ASCII.
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
  if (low < 32 || low === DELETE) {
    return [...meta, CARET, low ^ 0x40];
  }
  return ESCAPED.includes(low) ? [...meta, BACKSLASH, low] : [...meta, low];
}

/** What `levain devices --json` tells of one device. Every string is safe to print: what is not printable UTF-8 is `\xNN`. */
export interface DeviceDescription {
  readonly device: string;
  /** By libblkid's names. */
  readonly tags: Readonly<Record<string, string>>;
  /** Types that contradict each other; then there are no tags. */
  readonly ambivalent: readonly string[];
  readonly partitions: readonly PartitionDescription[];
}

/** A partition; `start` and `size` in units of 512 bytes. */
export interface PartitionDescription {
  readonly number: number;
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly uuid: string | null;
  readonly name: string | null;
  /** As "0x…". */
  readonly attributes: string;
  readonly scheme: string;
}

/** A partition ready for JSON. */
export function describePartition({ attributes, name, type, ...rest }: Partition): PartitionDescription {
  return {
    ...rest,
    type: escapeUnprintable(type),
    name: name && escapeUnprintable(name),
    attributes: `0x${attributes.toString(16)}`,
  };
}
