import type { Partition } from "../../../src/formats/partitions/model.ts";

/** Output and exit status of a tool. */
export interface Outcome {
  readonly output: string;
  readonly status: number;
}

function ask(...argv: readonly string[]): Outcome {
  const environment = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8" };
  const { stdout, exitCode } = Bun.spawnSync([...argv], { env: environment });
  return { output: stdout.toString(), status: exitCode };
}

/** Runs `blkid -p -o export PATH`. */
export function askBlkid(path: string): Outcome {
  return ask("blkid", "-p", "-o", "export", path);
}

/** Returns the partitions that partx lists, one line each in the form of `formatPartition`. */
export function listPartitions(path: string, sectorSize: number): readonly string[] {
  const columns = "NR,START,SECTORS,NAME,UUID,TYPE,FLAGS,SCHEME";
  return ask("partx", "--sector-size", `${sectorSize}`, "-o", columns, "--pairs", path)
    .output.split("\n")
    .filter((line) => line !== "")
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, value]) => value).join("|"));
}

/** partx writes all bytes that are not ASCII as \xNN. */
function escapeLikePartx(text: string): string {
  const hex = (letter: string) => Buffer.from(letter).toString("hex").replace(/../g, "\\x$&");
  return text.replace(/[^ -~]/gu, hex);
}

/** Formats a partition of `listPartitions`. */
export function formatPartition({ number, start, size, name, uuid, type, attributes, scheme }: Partition): string {
  const flags = `0x${attributes.toString(16)}`;
  return [number, start, size, escapeLikePartx(name ?? ""), uuid ?? "", type, flags, scheme].join("|");
}
