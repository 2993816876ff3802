import { createHash } from "node:crypto";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";

/** What is under way when the power fails. */
export type Operation = "reset" | "factory reset" | "write" | "sync";

/** The operations of `count` power cuts on one disk after the other: each disk begins with the removal of its first changes. */
export function listOperations(count: number): readonly (readonly Operation[])[] {
  const round = (index: number): readonly Operation[] => [
    index % 2 === 0 ? "reset" : "factory reset",
    "write",
    "sync",
    ...(count > PER_ROUND ? (["sync"] as const) : []),
  ];
  const rounds: (readonly Operation[])[] = [];
  for (let left = count; left > 0; left -= rounds.at(-1)?.length ?? left) {
    rounds.push(round(rounds.length).slice(0, left));
  }
  return rounds;
}

const PER_ROUND = 3;
/** How many files a reset removes. */
const FIRST_FILES = 4000;
/** How many files a sync writes, and in how many the writer writes. */
export const [SYNCED_FILES, WRITTEN_FILES] = [200, 20];
const LINES = 300;

/** Fills a directory for mkfs.ext4(8): changes that a boot removes. */
function writeFirstChanges(tree: string, operation: Operation, count: number): void {
  for (let index = 0; index < count; index++) {
    const path = join(tree, `upper/files/${index % 50}/${index}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "x".repeat(5000));
  }
  mkdirSync(join(tree, "work/work"), { recursive: true });
  if (operation !== "factory reset") return;
  mkdirSync(join(tree, ".levain-upper"), { mode: 0o700 });
  writeFileSync(join(tree, ".levain-upper/reset"), '{"version":1,"keep":[]}');
}

/** What a guest runs. `generation`: of the files that a sync writes. */
export const SCRIPTS = {
  /** Says "ack-N" when the file N % WRITTEN_FILES is on the disk. */
  write: `mkdir -p /w; n=0; while n=$((n+1)); do i=$((n%${WRITTEN_FILES})); yes gen-$n-$i | head -n ${LINES} > /w/new; sync; mv /w/new /w/$i; sync; echo ack-$n; done`,
  sync: (generation: number) =>
    `mkdir -p /s; awk 'BEGIN { for (i = 0; i < ${SYNCED_FILES}; i++) { f = "/s/" i; for (l = 0; l < ${LINES}; l++) print "gen-${generation}-" i > f; close(f) } }'; echo begin-$((40 + 2)); /run/levain/bin/levain sync; echo end-$?`,
  /** Says "end-N" when all files of the generation N are synced. */
  syncs: `mkdir -p /s; n=0; while n=$((n+1)); do awk -v n=$n 'BEGIN { for (i = 0; i < ${SYNCED_FILES}; i++) { f = "/s/" i; for (l = 0; l < ${LINES}; l++) print "gen-" n "-" i > f; close(f) } }'; /run/levain/bin/levain sync && echo end-$n; done`,
  show: "find /files -type f 2>/dev/null | wc -l; ls -A /run/levain/store; md5sum /s/* /w/* 2>/dev/null",
} as const;

/** The line of md5sum(1) for a whole file of a generation. */
function sumLine(directory: string, index: number, generation: number): string {
  const text = `gen-${generation}-${index}\n`.repeat(LINES);
  return `${createHash("md5").update(text).digest("hex")}  /${directory}/${index}`;
}

export interface Shown {
  readonly lines: ReadonlySet<string>;
  readonly text: string;
}

export function readShown(text: string): Shown {
  return { text, lines: new Set(text.split(/\r?\n/)) };
}

/** Returns the generations of which all synced files are whole. */
export function syncedGenerations({ lines }: Shown, upTo: number): readonly number[] {
  return Array.from({ length: upTo }, (_, index) => index + 1).filter((generation) =>
    Array.from({ length: SYNCED_FILES }, (_, file) => sumLine("s", file, generation)).every((line) => lines.has(line)),
  );
}

/** Returns the generation of each written file that is whole; null: it is missing or not whole. */
export function writtenGenerations({ lines }: Shown, upTo: number): readonly (number | null)[] {
  return Array.from({ length: WRITTEN_FILES }, (_, file) => {
    for (let generation = upTo; generation > 0; generation--) {
      if (generation % WRITTEN_FILES === file && lines.has(sumLine("w", file, generation))) return generation;
    }
    return null;
  });
}

/** Makes an ext4 with the label DATA, which has these first changes. Returns its file. */
export async function makeChangedDisk(operation: Operation, count = FIRST_FILES): Promise<string> {
  const tree = scratchDirectory();
  writeFirstChanges(tree, operation, count);
  const file = join(scratchDirectory(), "data");
  writeFileSync(file, "");
  truncateSync(file, 64 * 2 ** 20);
  await run(["mkfs.ext4", "-q", "-L", "DATA", "-d", tree, file]);
  return file;
}

/**
 * Does what the next mount of an ext4 does, and checks that nothing is wrong then. Before, what the journal has counts as missing.
 * Preening (e2fsck -f -p) would repair more than the journal, and the check would find nothing.
 */
export async function replayJournal(disk: string): Promise<void> {
  // Without -p, e2fsck asks. 1: the journal was replayed. Without 2>&1, the version of e2fsck would be all that a failure shows.
  await run(["sh", "-c", 'e2fsck -p -E journal_only "$1" 2>&1; test $? -le 1', "sh", disk]);
  await run(["sh", "-c", 'e2fsck -f -n "$1" 2>&1', "sh", disk]);
}
