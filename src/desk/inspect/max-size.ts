import type { CommandWords } from "../command-line.ts";
import { parseSizeLimit } from "./streams/size-limit.ts";

/** --max-size, for the commands that take another tool's image apart. */
export const MAX_SIZE_OPTION = {
  "max-size": {
    type: "string",
    valueHint: "SIZE",
    description: "how much the image may take unpacked, as 512M (default: 64 times its size, 64M at least, 2G at most)",
  },
} as const;

/** The bytes that --max-size allows; null if it is not given. Throws BootError. */
export function readMaxSize(line: CommandWords): number | null {
  const given = line.one("max-size");
  return given === null ? null : parseSizeLimit(given);
}
