import { join } from "node:path";
import { unpackedPackages } from "../debian-packages.ts";

/** blkid and partx of the newest util-linux, whose libblkid knows more types than that of Debian 12. */
const NEWEST = join(await unpackedPackages(["util-linux"], "sid"), "bin");

export interface Outcome {
  readonly output: string;
  readonly status: number;
}

function ask(program: "blkid" | "partx", ...words: readonly string[]) {
  const environment = { ...process.env, LC_ALL: "C.UTF-8", LIBBLKID_DEBUG: "lowprobe" };
  const { stdout, stderr, exitCode } = Bun.spawnSync([join(NEWEST, program), ...words], { env: environment });
  return { output: stdout.toString(), status: exitCode, messages: stderr.toString() };
}

// Sizes and byte orders of filesystems, by which nothing is found: levain does not report them (docs/probe.md).
const LEFT_OUT = /^(?:FSSIZE|FSBLOCKSIZE|FSLASTBLOCK|ENDIANNESS)=.*\n/gm;
const AMBIVALENT = 8;

/** Runs `blkid -p -o export PATH`. Since 2.42 its status is 2 if the result is ambivalent; this one is 8 as blkid(8) says. */
export function askBlkid(path: string): Outcome {
  const { output, status, messages } = ask("blkid", "-p", "-o", "export", path);
  const isAmbivalent = messages.includes("ambivalent result detected");
  return { output: output.replace(LEFT_OUT, ""), status: isAmbivalent ? AMBIVALENT : status };
}

/** Returns the partitions that partx lists, one line each in the form of `formatPartition`. */
export function listPartitions(path: string, sectorSize: number): readonly string[] {
  const columns = "NR,START,SECTORS,NAME,UUID,TYPE,FLAGS,SCHEME";
  return ask("partx", "--sector-size", `${sectorSize}`, "-o", columns, "--pairs", path)
    .output.split("\n")
    .filter((line) => line !== "")
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, value]) => value).join("|"));
}
