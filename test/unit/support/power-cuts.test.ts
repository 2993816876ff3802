import { expect, test } from "bun:test";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";
import { replayJournal } from "../../support/power-cuts.ts";

/** Makes an ext4 whose journal has to be replayed; a file of it has this link count. */
async function makeInterrupted(links: number): Promise<string> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "tree"));
  writeFileSync(join(directory, "tree/file"), "text");
  const disk = join(directory, "disk");
  writeFileSync(disk, "");
  truncateSync(disk, 8 << 20);
  await run(["mkfs.ext4", "-q", "-d", join(directory, "tree"), disk]);
  for (const request of [`sif /file links_count ${links}`, "feature needs_recovery"]) {
    await run(["debugfs", "-w", "-R", request, disk]);
  }
  return disk;
}

test("replaying the journal of a disk repairs nothing else, so that the check sees it", async () => {
  const [good, damaged] = await Promise.all([1, 3].map(makeInterrupted));
  await replayJournal(good ?? "");
  expect(await run(["dumpe2fs", "-h", good ?? ""])).not.toContain("needs_recovery");
  await expect(replayJournal(damaged ?? "")).rejects.toThrow("ref count is 3, should be 1");
});
