import { unsupportedLayer } from "../../../formats/contents.ts";
import { decodePrintable, escapeUnprintable } from "../../../formats/text.ts";
import type { Machine } from "../../../machine/machine.ts";
import { SyscallError } from "../../../problems/errors.ts";
import { notSupportedYet } from "../../../problems/not-supported.ts";
import { describeDevices } from "../../../rescue/commands/devices.ts";
import { argument, command, flag, option, UsageError } from "../../command-line.ts";
import { describePartition, type ExaminedFile, examineFile, formatExport } from "../../probe/device-facts.ts";
import { writeLine, writeOutput } from "../../standard-output.ts";

// The exit statuses of blkid(8).
const RECOGNISED = 0;
const NOT_RECOGNISED = 2;
const AMBIVALENT = 8;
const MAX_SECTOR_SIZE = 65536;

/** `levain devices [FILE…]`. */
export const devicesCommand = command({
  name: "devices",
  description: "List block devices, or image files, and what they contain",
  args: {
    "file...": argument(
      "Image files or devices, examined as blkid -p does (default: a table of this machine's devices)",
      false,
    ),
    json: flag("Print JSON, with the partitions of whole disks"),
    "sector-size": option("BYTES", "Logical sector size of the disk (default: the device's own; files: 512)"),
  },
  examples: {
    "levain devices": "Show size, type, label and UUID of every block device",
    "levain devices --json disk.img": "Show what is in a disk image; status 2 if unknown, 8 if ambivalent",
  },
  run: ({ words, has, one }, machine) => {
    const size = one("sector-size");
    const options = { json: has("json"), sectorSize: size === null ? null : readSectorSize(size) };
    if (words.length > 0) return print(describeImages(machine, words, options));
    if (options.json || size !== null) throw new UsageError("--json and --sector-size need a FILE");
    writeLine(describeDevices(machine).join("\n"));
    return 0;
  },
});

function readSectorSize(text: string): number {
  const size = Number(text);
  const isSize = /^\d+$/.test(text) && size >= 512 && size <= MAX_SECTOR_SIZE && Number.isInteger(Math.log2(size));
  if (!isSize) throw new UsageError(`--sector-size: expected a power of two from 512 to 65536 but received "${text}"`);
  return size;
}

function print({ output, problems, status }: ReturnType<typeof describeImages>): number {
  writeOutput(output);
  for (const problem of problems) console.error(problem);
  return status;
}

type Examined = Partial<ExaminedFile> & Readonly<{ path: string; problem: string | null; status: number }>;

/**
 * Describes files and devices as `blkid -p -o export` does, or as JSON, with one line per problem. The status is 2 if a file was not
 * recognised or cannot be read, 8 if one is ambivalent; unlike blkid it continues then.
 */
export function describeImages(
  machine: Machine,
  paths: readonly string[],
  { json, sectorSize }: { readonly json: boolean; readonly sectorSize: number | null },
) {
  const files = paths.map((path) => examine(machine, path, sectorSize));
  return {
    output: json ? `${JSON.stringify(files.flatMap(describe), null, 2)}\n` : formatFiles(files),
    problems: files.flatMap(({ problem }) => problem ?? []),
    status: files.find(({ status }) => status !== RECOGNISED)?.status ?? RECOGNISED,
  };
}

function examine(machine: Machine, path: string, sectorSize: number | null): Examined {
  try {
    const file = examineFile(machine, path, sectorSize);
    const { ambivalent, tags } = file.result;
    if (ambivalent.length > 0) {
      const problem = `${escapeUnprintable(path)}: ambivalent, it looks like ${ambivalent.join(" and ")}`;
      return { ...file, path, problem, status: AMBIVALENT };
    }
    if (tags.length === 0) {
      return { ...file, path, problem: `${escapeUnprintable(path)}: nothing recognised`, status: NOT_RECOGNISED };
    }
    const layer = unsupportedLayer(file.result.type);
    const problem = layer === null ? null : `${escapeUnprintable(path)}: ${notSupportedYet(layer)}`;
    return { ...file, path, problem, status: RECOGNISED };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { path, problem: `${escapeUnprintable(path)}: cannot be read (${error.code})`, status: NOT_RECOGNISED };
  }
}

function formatFiles(files: readonly Examined[]): string {
  const found = files.filter(({ result }) => result !== undefined && result.tags.length > 0);
  return found.map(({ path, result }) => formatExport(path, result?.tags ?? [])).join("\n");
}

/** One device for JSON. Every string is safe to print: what is not printable UTF-8 is `\xNN`. */
function describe({ path, result, partitions = [] }: Examined) {
  if (result === undefined) return [];
  return [
    {
      device: escapeUnprintable(path),
      tags: Object.fromEntries(result.tags.map(({ name, value }) => [name, decodePrintable(value)])),
      // Types that contradict each other; there are no tags then.
      ambivalent: result.ambivalent,
      partitions: partitions.map(describePartition),
    },
  ];
}
