import { expect, test } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import {
  makeChangedDisk,
  type Operation,
  readShown,
  SCRIPTS,
  syncedGenerations,
  WRITTEN_FILES,
  writtenGenerations,
} from "../support/power-cuts.ts";
import { type Moment, readAfterBoot, takeMoment } from "../support/power-moments.ts";
import { createRandom } from "../support/random.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// power-cuts.test.ts boots again after each cut. Here the guest stands still for each moment while its disk is copied, and goes on: a
// moment costs a second instead of a boot, and what the next boot would do is done on the host, by the same code.
// POWER_MOMENTS=N for another number, POWER_SEED=N for those of an earlier run.

const MOMENTS = Number(process.env["POWER_MOMENTS"] ?? 60);
const SEED = Number(process.env["POWER_SEED"] ?? Date.now() % 1_000_000);
const BOOT_MS = 600_000;

interface Case {
  readonly words: string;
  /** What the guest runs; null: the boot itself does it. */
  readonly script: string | null;
  /** What the console shows when it begins. */
  readonly begins: string | RegExp;
  /** How many files were there before. */
  readonly first: number;
  /** The longest time between two moments, in ms of the guest. */
  readonly apartMs: number;
}

const CASES: Readonly<Record<Operation, Case>> = {
  sync: { words: "rd.overlay.readonly rd.command", script: SCRIPTS.syncs, begins: /^/, first: 50, apartMs: 2500 },
  write: { words: "", script: SCRIPTS.write, begins: "\nack-1", first: 50, apartMs: 800 },
  reset: {
    words: "rd.overlay.reset",
    script: null,
    begins: "removing all changes on LABEL=DATA",
    first: 4000,
    apartMs: 120,
  },
  "factory reset": { words: "", script: null, begins: "removing the changes of upper", first: 4000, apartMs: 120 },
};

async function takeMoments(operation: Operation, count: number): Promise<readonly Moment[]> {
  const { words, script, begins, apartMs } = CASES[operation];
  const random = createRandom(SEED + operation.length);
  const data = await makeChangedDisk(operation, CASES[operation].first);
  const moments: Moment[] = [];
  const disks = [await rootImage("squashfs-zstd"), { file: data, keepsWrites: true }];
  const cmdline = `root=/dev/vda rd.overlay=LABEL=DATA ${words}`;
  const options = await levainGuest({ memoryMib: 768, disks, cmdline });
  await withVm({ ...options, name: `power moments: ${operation}` }, BOOT_MS, async (vm) => {
    if (script !== null) {
      await vm.expect("small-root: ready");
      vm.send(`${script}\n`);
    }
    await vm.expect(begins);
    for (let index = 0; index < count; index++) {
      await vm.pause(Math.floor(random() * apartMs));
      moments.push(await takeMoment(vm, data));
    }
  });
  return moments;
}

/** The highest N of the lines "WORD-N". */
function lastOf(log: string, word: string): number {
  return Math.max(0, ...[...log.matchAll(new RegExp(`^${word}-(\\d+)$`, "gm"))].map((match) => Number(match[1])));
}

const CHECKS: Readonly<Record<Operation, (moment: Moment) => Promise<string>>> = {
  async sync(moment) {
    const { text, first } = await readAfterBoot(moment);
    const synced = lastOf(moment.log, "end");
    const [generation = 0] = syncedGenerations(readShown(text), synced + 1);
    expect([first, generation >= synced]).toEqual([CASES.sync.first, true]);
    if (generation === 0) expect(text).not.toMatch(/^[\da-f]{32} {2}\/s\//m);
    return `${synced}→${generation}`;
  },
  async write(moment) {
    const { text, first } = await readAfterBoot(moment);
    const acknowledged = lastOf(moment.log, "ack");
    const written = writtenGenerations(readShown(text), acknowledged + WRITTEN_FILES);
    for (let n = Math.max(1, acknowledged - WRITTEN_FILES + 1); n <= acknowledged; n++) {
      expect(written[n % WRITTEN_FILES]).toBeGreaterThanOrEqual(n);
    }
    expect(first).toBe(CASES.write.first);
    return `${acknowledged}`;
  },
  // All of the changes or none; the second of the two is completed in any case.
  reset: (moment) => checkReset(moment, [0, CASES.reset.first]),
  "factory reset": (moment) => checkReset(moment, [0]),
};

async function checkReset(moment: Moment, allowed: readonly number[]): Promise<string> {
  const { text, first } = await readAfterBoot(moment);
  expect(allowed).toContain(first);
  expect(text).not.toMatch(/discarded|\.levain-upper/);
  return `${first}`;
}

for (const operation of Object.keys(CASES) as Operation[]) {
  const count = Math.ceil(MOMENTS / Object.keys(CASES).length);
  test(
    `the power fails at ${count} moments of a ${operation}: files are old or new, and what was begun is completed`,
    async () => {
      const moments = await takeMoments(operation, count);
      const seen: string[] = [];
      for (const moment of moments) seen.push(await CHECKS[operation](moment));
      console.log(`seed ${SEED}, ${operation}: ${seen.join(" ")}`);
    },
    QUEUE_TIMEOUT_MS,
  );
}
