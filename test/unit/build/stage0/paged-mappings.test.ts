import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { canPage, packPagedChild, pageSets, waitForEnd, writeProgram } from "../../../support/paged-program.ts";

/** Whether a page is in the memory of a process: bit 63 of its word in /proc/PID/pagemap. */
function isPresent(pid: number, page: number): boolean {
  const file = openSync(`/proc/${pid}/pagemap`, "r");
  const word = Buffer.alloc(8);
  readSync(file, word, 0, 8, page * 8);
  closeSync(file);
  return (word.readUInt8(7) & 0x80) !== 0;
}

describe("the memory of a program that is unpacked when it is touched", () => {
  test.skipIf(!canPage)(
    "has variables that every boot touches mapped from its own file, and no memory to write and execute",
    async () => {
      const path = writeProgram(await packPagedChild({ sets: pageSets(new Set([0x700, 0x710])) }));
      const child = Bun.spawn([path, "wait"], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      await child.stdout.getReader().read();
      const maps = readFileSync(`/proc/${child.pid}/maps`, "latin1");
      child.kill("SIGKILL");
      await waitForEnd(path);
      const files = maps.split("\n").filter((line) => line.endsWith(path));
      expect(files.filter((line) => /^0*(700000-0*701000|710000-0*711000) /.test(line))).toHaveLength(2);
      expect(maps).not.toMatch(/ .wx/);
    },
  );

  test.skipIf(!canPage)("gets a set that follows another one while it waits, and no other", async () => {
    const [other, followed, next] = pageSets(new Set(), new Set([0x401]), new Set([0x500]));
    if (other === undefined || followed === undefined || next === undefined) throw new Error("no sets");
    for (const isFollowing of [true, false]) {
      const path = writeProgram(await packPagedChild({ sets: [other, followed, { ...next, isFollowing }] }));
      const child = Bun.spawn([path, "wait"], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      await child.stdout.getReader().read();
      while (!isPresent(child.pid, 0x401) || (isFollowing && !isPresent(child.pid, 0x500))) await Bun.sleep(20);
      // What does not follow has the same time to come, on a host that is not busy.
      if (!isFollowing) await Bun.sleep(500);
      const present = [0x401, 0x500].map((page) => isPresent(child.pid, page));
      child.kill("SIGKILL");
      await waitForEnd(path);
      expect(present).toEqual([true, isFollowing]);
    }
  });
});
