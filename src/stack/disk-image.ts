import { GPT_NO_AUTO } from "../devices/block-devices.ts";
import type { ByteSource } from "../formats/facts.ts";
import type { Partition } from "../formats/partitions/model.ts";
import { readPartitionTable } from "../formats/partitions/partition-table.ts";
import { type ProbeResult, probe } from "../formats/probe.ts";
import { rootTypeOf } from "../plan/root.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";

/** A partition in an image of a whole disk. */
export interface DiskPart {
  readonly number: number;
  /** Bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly facts: ProbeResult;
}

type Candidate = DiskPart & Pick<Partition, "type" | "name" | "attributes">;

/** Logical sectors of disks that images are made of: GPT counts in them. */
const SECTOR_SIZES = [512, 4096];
/** Linux filesystem data of GPT, and Linux of MBR. */
const LINUX = ["0fc63daf-8483-4772-8e79-3d69d8477de4", "0x83"];
/** Partitions that hold nothing but others, and the one that protects a GPT. */
const NO_CONTENT = ["0x5", "0xf", "0x85", "0xee"];
const MOST_LISTED = 12;

/**
 * Returns the root partition of an image that has a partition table: the first of the Discoverable Partitions
 * Specification's root type of `machine` (as in `uname -m`), or the only one for Linux, or the only one with a filesystem.
 * null for an image without a table. Throws a BootError that lists the partitions if several may be the root.
 */
export function findRootPart(image: ByteSource, machine: string, path: string): DiskPart | null {
  const partitions = readParts(image);
  if (partitions === null) return null;
  const parts = partitions.map((partition) => probePart(image, partition));
  const isRoot = ({ type, attributes }: Candidate) => type === rootTypeOf(machine) && (attributes & GPT_NO_AUTO) === 0n;
  const isUsable = ({ facts }: Candidate) => facts.usage === "filesystem" || facts.type === "crypto_LUKS";
  const ofLinux = parts.filter((part) => LINUX.includes(part.type) && isUsable(part));
  const [first, second] =
    [parts.filter(isRoot).slice(0, 1), ofLinux, parts.filter(isUsable)].find(({ length }) => length > 0) ?? [];
  if (first !== undefined && second === undefined) return first;
  const seen = parts.slice(0, MOST_LISTED).map(describePart);
  throw problem("image-of-disk", { path, count: parts.length }, { seen });
}

/** Returns what lies inside the image; null if it has no partition table. */
function readParts(image: ByteSource): readonly Partition[] | null {
  const tables = SECTOR_SIZES.flatMap((size) => readPartitionTable(image, size) ?? []);
  const table = ["gpt", "dos"].flatMap((wanted) => tables.filter(({ type }) => type === wanted))[0];
  if (table === undefined) return null;
  return table.partitions.filter(
    ({ start, size, type }) =>
      start > 0 && size > 0 && (start + size) * 512 <= image.size && !NO_CONTENT.includes(type),
  );
}

function probePart(image: ByteSource, { number, start, size, type, name, attributes }: Partition): Candidate {
  const part = { number, offset: start * 512, size: size * 512 };
  return { ...part, type, name, attributes, facts: probe(slice(image, part), { kind: "partition" }) };
}

/** Returns the bytes of a part of an image. */
export function slice(image: ByteSource, { offset, size }: Pick<DiskPart, "offset" | "size">): ByteSource {
  return { size, read: (at, length) => image.read(offset + at, Math.max(0, Math.min(length, size - at))) };
}

function describePart({ number, name, facts }: Candidate): string {
  const texts = [facts.label, name].flatMap((text) => (text ? `"${text}"` : []));
  return printable(`partition ${number}: ${[facts.type ?? "unknown content", ...new Set(texts)].join(" ")}`);
}
