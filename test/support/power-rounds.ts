import { expect, test } from "bun:test";
import { run } from "./command.ts";
import { rootImage } from "./filesystem-images.ts";
import { levainGuest } from "./levain-guest.ts";
import {
  listOperations,
  makeChangedDisk,
  type Operation,
  readShown,
  replayJournal,
  SCRIPTS,
  syncedGenerations,
  WRITTEN_FILES,
  writtenGenerations,
} from "./power-cuts.ts";
import type { Vm } from "./qemu.ts";
import { createRandom } from "./random.ts";
import { QUEUE_TIMEOUT_MS } from "./vm-test.ts";
import { withVm } from "./with-vm.ts";

const SEED = Number(process.env["POWER_SEED"] ?? Date.now() % 1_000_000);
const BOOT_MS = 120_000;
/** The longest time from the beginning of an operation to the cut: about as long as the operation takes. */
const LONGEST_MS: Readonly<Record<Operation, number>> = { reset: 800, "factory reset": 800, write: 2000, sync: 3500 };

/** What the disk must have after the last cut. */
interface Promised {
  /** By the writer, of each file. */
  acknowledged: number;
  /** By the last sync that was complete, and the one that was begun. */
  synced: number;
  begun: number;
  /** The written files, once they have been seen after the writer's end. */
  written: readonly (number | null)[] | null;
  /** The first changes are gone: a factory reset is completed by the next boot, the other may have changed nothing. */
  isReset: boolean;
}

const CMDLINES: Readonly<Record<Operation, string>> = {
  reset: "rd.overlay.reset",
  "factory reset": "",
  write: "",
  sync: "rd.overlay.readonly rd.command",
};

/** Checks what the boot after a cut finds. */
async function check(vm: Vm, promised: Promised): Promise<void> {
  vm.send(`${SCRIPTS.show}; echo shown-$((40 + 2))\n`);
  const [, text = ""] = await vm.expect(/\n((?:.*\n)*?.*)shown-42/);
  const shown = readShown(text);
  const count = Number(/^(\d+)\r?$/m.exec(text)?.[1]);
  expect(promised.isReset ? [0] : [0, 4000]).toContain(count);
  promised.isReset ||= count === 0;
  expect(text).not.toMatch(/discarded|\.levain-upper/);
  const upTo = promised.acknowledged + WRITTEN_FILES;
  const written = writtenGenerations(shown, upTo);
  for (let n = Math.max(1, promised.acknowledged - written.length + 1); n <= promised.acknowledged; n++) {
    expect(written[n % written.length]).toBeGreaterThanOrEqual(n);
  }
  if (promised.written !== null) expect(written).toEqual(promised.written);
  if (promised.acknowledged > 0) promised.written = written;
  if (promised.begun === 0) return;
  const [generation = 0] = syncedGenerations(shown, promised.begun);
  const isNone = !/^[\da-f]{32} {2}\/s\//m.test(text);
  expect(generation > 0 || (isNone && promised.synced === 0)).toBe(true);
  expect(generation).toBeGreaterThanOrEqual(promised.synced);
  promised.synced = generation;
}

/** Begins the operation, and returns when it has gone on for a random time. */
async function begin(vm: Vm, operation: Operation, promised: Promised, random: () => number): Promise<string> {
  const waitMs = Math.floor(random() * LONGEST_MS[operation]);
  if (operation === "write") vm.send(`${SCRIPTS.write}\n`);
  if (operation === "sync") {
    promised.begun += 1;
    vm.send(`${SCRIPTS.sync(promised.begun)}\n`);
    await vm.expect("\nbegin-42");
  }
  await Bun.sleep(waitMs);
  const log = vm.log();
  if (operation === "write") promised.acknowledged = Number([...log.matchAll(/^ack-(\d+)\r?$/gm)].at(-1)?.[1] ?? 0);
  const [, status] = /^end-(\d+)\r?$/m.exec(log) ?? [];
  if (status !== undefined && status !== "0") throw new Error("levain sync failed");
  const isDone = status === "0";
  if (isDone) promised.synced = promised.begun;
  return `${operation} cut after ${waitMs} ms${isDone ? ", complete" : ""}`;
}

async function cutRound(operations: readonly Operation[], random: () => number): Promise<readonly string[]> {
  const [first = "reset"] = operations;
  const data = await makeChangedDisk(first);
  const promised: Promised = {
    acknowledged: 0,
    synced: 0,
    begun: 0,
    written: null,
    isReset: first === "factory reset",
  };
  const done: string[] = [];
  const session = async (words: string, body: (vm: Vm) => Promise<void>) => {
    const disks = [await rootImage("squashfs-zstd"), { file: data, keepsWrites: true }];
    const options = await levainGuest({
      memoryMib: 768,
      disks,
      cmdline: `root=/dev/vda rd.overlay=LABEL=DATA ${words}`,
    });
    await withVm({ ...options, name: `power cut: ${words}` }, BOOT_MS, body);
  };
  for (const operation of operations) {
    // As a boot without rd.overlay.readonly does (the journal, and inodes without a name): levain sync writes nothing otherwise.
    if (operation === "sync") await run(["sh", "-c", 'e2fsck -p "$1" 2>&1; test $? -le 1', "sh", data]);
    await session(CMDLINES[operation], async (vm) => {
      if (operation === first) {
        await vm.expect(first === "reset" ? "removing all changes on LABEL=DATA" : "removing the changes of upper");
      } else {
        await vm.expect("small-root: ready");
        await check(vm, promised);
      }
      done.push(await begin(vm, operation, promised, random));
    });
  }
  await session("", async (vm) => {
    await vm.expect("small-root: ready");
    await check(vm, promised);
    vm.send("sync; poweroff -f\n");
    await vm.expectExit();
  });
  await replayJournal(data);
  return done;
}

/** Defines a test for each disk: QEMU is killed at a random moment, the disk boots again, and while the next operation is under way it is killed again. */
export function testPowerCuts(cuts: number): void {
  for (const [index, operations] of listOperations(cuts).entries()) {
    test(
      `the power fails during ${operations.join(", ")} (${index}): files are old or new, and what was begun is completed`,
      async () => {
        const done = await cutRound(operations, createRandom(SEED + index));
        console.log(`seed ${SEED}, round ${index}: ${done.join("; ")}`);
      },
      QUEUE_TIMEOUT_MS,
    );
  }
}
