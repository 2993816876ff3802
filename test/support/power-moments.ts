import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { finishReset } from "../../src/stack/store/reset.ts";
import { settleBranch } from "../../src/stack/sync/settle.ts";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";
import { replayJournal } from "./power-cuts.ts";
import type { Vm } from "./qemu.ts";

/** A disk as a power failure would leave it, and what the guest had said until then. */
export interface Moment {
  readonly disk: string;
  readonly log: string;
}

/** Copies a disk of a guest that stands still: all that its kernel has written so far is in the file, and nothing else. */
export async function takeMoment(vm: Vm, file: string): Promise<Moment> {
  await vm.monitor("stop");
  try {
    const disk = join(scratchDirectory(), "moment");
    copyFileSync(file, disk);
    // QEMU hands on what the guest has printed before it answers.
    return { disk, log: vm.log() };
  } finally {
    await vm.monitor("cont");
  }
}

/**
 * Does what the next boot does with such a disk: replays the journal of ext4, and completes what levain had begun, with levain's own
 * code. Returns what is there then, as md5sum(1) and ls(1) print it, and the number of first changes. Removes the disk.
 */
export async function readAfterBoot({ disk }: Moment): Promise<{ readonly text: string; readonly first: number }> {
  await replayJournal(disk);
  // In memory: levain waits for the disk of the host several times.
  const tree = mkdtempSync("/dev/shm/levain-moment-");
  try {
    return await readTree(disk, tree);
  } finally {
    rmSync(tree, { recursive: true });
    rmSync(join(disk, ".."), { recursive: true });
  }
}

async function readTree(disk: string, tree: string): Promise<{ readonly text: string; readonly first: number }> {
  await run(["debugfs", "-R", `rdump / ${tree}`, disk]);
  const machine = createLinuxMachine();
  settleBranch(machine, `${tree}/upper`, { progress: () => undefined, warn: refuse, debug: () => undefined });
  finishReset(machine, tree, { upper: "upper", work: "work" });
  const files = listFiles(`${tree}/upper`);
  const text = [
    ...readdirSync(tree),
    ...files.map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(`${tree}/upper/${path}`))
          .digest("hex")}  /${path}`,
    ),
  ];
  const first = files.filter((path) => path.startsWith("files/")).length;
  return { text: text.join("\n"), first };
}

function refuse(text: string): never {
  throw new Error(text);
}

function listFiles(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name).slice(directory.length + 1));
}
