import { decodePrintable, escapeUnprintable } from "../../formats/text.ts";
import type { Machine } from "../../machine/machine.ts";
import { SyscallError } from "../../problems/errors.ts";
import { type ExaminedFile, examineFile } from "./device-facts.ts";
import { type DeviceDescription, describePartition, formatExport } from "./format.ts";

// The exit statuses of blkid(8).
const RECOGNISED = 0;
const NOT_RECOGNISED = 2;
const AMBIVALENT = 8;

/** How `levain devices FILE…` was asked. */
export interface DescribeOptions {
  readonly json: boolean;
  /** Bytes; null for the device's own, or 512. */
  readonly sectorSize: number | null;
}

/** What to print, where, and how to end: 0; 2 where one was not recognised or cannot be read; 8 where one is ambivalent. */
export interface Described {
  readonly output: string;
  /** One line each, for stderr. */
  readonly problems: readonly string[];
  readonly status: number;
}

interface Examined extends Partial<ExaminedFile> {
  readonly path: string;
  readonly problem: string | null;
  readonly status: number;
}

/** `levain devices FILE…`: files and devices as `blkid -p -o export` tells them, or as JSON. Unlike blkid it goes on after one that it does not know. */
export function describeImages(machine: Machine, paths: readonly string[], options: DescribeOptions): Described {
  const files = paths.map((path) => examine(machine, path, options.sectorSize));
  return {
    output: options.json ? `${JSON.stringify(files.flatMap(describe), null, 2)}\n` : formatFiles(files),
    problems: files.flatMap(({ problem }) => problem ?? []),
    status: files.find(({ status }) => status !== RECOGNISED)?.status ?? RECOGNISED,
  };
}

function examine(machine: Machine, path: string, sectorSize: number | null): Examined {
  try {
    const file = examineFile(machine, path, sectorSize);
    if (file.result.ambivalent.length > 0) {
      const problem = `${escapeUnprintable(path)}: ambivalent, it looks like ${file.result.ambivalent.join(" and ")}`;
      return { ...file, path, problem, status: AMBIVALENT };
    }
    return { ...file, path, problem: null, status: file.result.tags.length > 0 ? RECOGNISED : NOT_RECOGNISED };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { path, problem: `${escapeUnprintable(path)}: cannot be read (${error.code})`, status: NOT_RECOGNISED };
  }
}

function formatFiles(files: readonly Examined[]): string {
  return files
    .filter(({ result }) => result !== undefined && result.tags.length > 0)
    .map(({ path, result }) => formatExport(path, result?.tags ?? []))
    .join("\n");
}

function describe({ path, result, partitions = [] }: Examined): readonly DeviceDescription[] {
  if (result === undefined) return [];
  return [
    {
      device: escapeUnprintable(path),
      tags: Object.fromEntries(result.tags.map(({ name, value }) => [name, decodePrintable(value)])),
      ambivalent: result.ambivalent,
      partitions: partitions.map(describePartition),
    },
  ];
}
