import { type ArgsDef, defineCommand } from "citty";
import type { Machine } from "../../machine/machine.ts";
import { describeDevices } from "../../rescue/commands/devices.ts";
import { readCommandLine, UsageError } from "../command-line.ts";
import { type Described, describeImages } from "../probe/devices-command.ts";

const ARGS = {
  file: {
    type: "positional",
    required: false,
    description: "image files or devices; none: the devices of this machine",
  },
  json: { type: "boolean", description: "as JSON, with the partitions of a whole disk" },
  "sector-size": { type: "string", valueHint: "BYTES", description: "logical sectors of this size in plain files" },
} satisfies ArgsDef;

const MAX_SECTOR_SIZE = 65536;

/** `levain devices [FILE…]`. */
export function devicesCommand(machine: Machine) {
  return defineCommand({
    meta: { name: "devices", description: "List what block devices, or image files, hold" },
    args: ARGS,
    run: ({ rawArgs }) => {
      const { words, has, one } = readCommandLine(rawArgs, ARGS);
      const size = one("sector-size");
      const options = { json: has("json"), sectorSize: size === null ? null : readSectorSize(size) };
      if (words.length > 0) return print(describeImages(machine, words, options));
      if (options.json || size !== null) throw new UsageError("--json and --sector-size need a FILE");
      console.log(describeDevices(machine).join("\n"));
      return 0;
    },
  });
}

function readSectorSize(text: string): number {
  const size = Number(text);
  const isSize = /^\d+$/.test(text) && size >= 512 && size <= MAX_SECTOR_SIZE && Number.isInteger(Math.log2(size));
  if (!isSize) throw new UsageError(`--sector-size: expected a power of two from 512 to 65536 but received "${text}"`);
  return size;
}

function print({ output, problems, status }: Described): number {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough, as head(1), is no failure.
    if (error.code !== "EPIPE") console.error(`cannot write to the standard output: ${error.code ?? error.message}`);
    process.exit(1);
  });
  process.stdout.write(output);
  for (const problem of problems) console.error(problem);
  return status;
}
