import type { Partition } from "../../../src/formats/partitions/model.ts";

/** What a tool printed, and its exit status. */
export interface Outcome {
  readonly output: string;
  readonly status: number;
}

function ask(...argv: readonly string[]): Outcome {
  const environment = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8" };
  const { stdout, exitCode } = Bun.spawnSync([...argv], { env: environment });
  return { output: stdout.toString(), status: exitCode };
}

/** `blkid -p -o export PATH`. */
export function askBlkid(path: string): Outcome {
  return ask("blkid", "-p", "-o", "export", path);
}

/** The partitions that partx lists, one line each as `formatPartition` makes them. */
export function listPartitions(path: string, sectorSize: number): readonly string[] {
  const columns = "NR,START,SECTORS,NAME,UUID,TYPE,FLAGS,SCHEME";
  return ask("partx", "--sector-size", `${sectorSize}`, "-o", columns, "--pairs", path)
    .output.split("\n")
    .filter((line) => line !== "")
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, value]) => value).join("|"));
}

/** partx writes all bytes but ASCII's as \xNN. */
function escapeLikePartx(text: string): string {
  const hex = (letter: string) => Buffer.from(letter).toString("hex").replace(/../g, "\\x$&");
  return text.replace(/[^ -~]/gu, hex);
}

/** A partition as `listPartitions` lists it. */
export function formatPartition({ number, start, size, name, uuid, type, attributes, scheme }: Partition): string {
  const flags = `0x${attributes.toString(16)}`;
  return [number, start, size, escapeLikePartx(name ?? ""), uuid ?? "", type, flags, scheme].join("|");
}
