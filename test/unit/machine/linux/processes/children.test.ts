import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeJson } from "../../../../../src/filesystems/run-apart.ts";
import { CHILD_COMMANDS } from "../../../../../src/machine/child-commands.ts";
import { findEnd, spawnProcess, waitForEnd } from "../../../../../src/machine/linux/libc.ts";
import { children } from "../../../../../src/machine/linux/processes/child.ts";
import { overwriteProcess } from "../../../../../src/machine/linux/processes/overwrite.ts";
import { orIfFailed } from "../../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../../support/cache.ts";
import { compileOnce } from "../../../../support/compiled-c.ts";

/** Starts a child that runs `sleep`; returns it with the process id of that. */
async function startSleep() {
  const file = join(scratchDirectory(), "pid");
  const [, main = ""] = process.argv;
  process.argv[1] = join(import.meta.dir, "../../../../../src/main.ts");
  const child = children.startChild(CHILD_COMMANDS.run);
  process.argv[1] = main;
  const script = `echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 600`;
  child.order(encodeJson({ argv: ["/bin/sh", "-c", script], environment: { PATH: "/usr/bin:/bin" } }));
  while (!existsSync(file)) await Bun.sleep(20);
  return { child, pid: Number(readFileSync(file, "utf8")) };
}

/** False for a zombie, too. */
function isAlive(pid: number): boolean {
  const stat = orIfFailed(() => readFileSync(`/proc/${pid}/stat`, "utf8"), "");
  return stat !== "" && !stat.includes(") Z ");
}

test("a child that is stopped with its programs leaves none behind", async () => {
  const { child, pid } = await startSleep();
  child.stop("with programs");
  while (isAlive(pid)) await Bun.sleep(20);
  expect(isAlive(pid)).toBe(false);
});

test("a child that is stopped alone leaves its programs running", async () => {
  const { child, pid } = await startSleep();
  child.stop();
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});

// As a writer to a stick that hangs: what waits for it must not wait as long.
test("a process that no signal stops is not waited for", async () => {
  const request = { argv: [await compileOnce("uninterruptible.c")], environment: [], terminal: null, outputFd: null };
  const pid = spawnProcess(request);
  while (!readFileSync(`/proc/${pid}/stat`, "latin1").includes(") D ")) await Bun.sleep(5);
  overwriteProcess(pid);
  expect(findEnd(pid)).toBeNull();
  process.kill(pid, "SIGKILL");
  expect(waitForEnd(pid)).toBe(128 + 9);
});
