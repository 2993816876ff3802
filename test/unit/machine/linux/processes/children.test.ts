import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeJson } from "../../../../../src/filesystems/run-apart.ts";
import { CHILD_COMMANDS } from "../../../../../src/machine/child-commands.ts";
import { findEnd, spawnProcess, waitForEnd } from "../../../../../src/machine/linux/libc.ts";
import { children } from "../../../../../src/machine/linux/processes/child.ts";
import { overwriteProcess } from "../../../../../src/machine/linux/processes/overwrite.ts";
import { scratchDirectory } from "../../../../support/cache.ts";
import { compileOnce } from "../../../../support/compiled-c.ts";

/** Starts a child that runs `sleep`; returns it with the process id of that. */
async function startSleep(before = "") {
  const file = join(scratchDirectory(), "pid");
  const [, main = ""] = process.argv;
  process.argv[1] = join(import.meta.dir, "../../../../../src/main.ts");
  const child = children.startChild(CHILD_COMMANDS.run);
  process.argv[1] = main;
  const script = `${before} echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 600`;
  child.order(encodeJson({ argv: ["/bin/sh", "-c", script], environment: { PATH: "/usr/bin:/bin" } }));
  while (!existsSync(file)) await Bun.sleep(20);
  return { child, pid: Number(readFileSync(file, "utf8")) };
}

/** False for a zombie, too. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
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

test("a child finds and ends the daemons of its programs", async () => {
  const daemon = join(scratchDirectory(), "daemon");
  // As daemon(7): a session of its own, and a parent that ends.
  const { child, pid } = await startSleep(
    `setsid sh -c 'sleep 600 & echo $! > ${daemon}.new; mv ${daemon}.new ${daemon}';`,
  );
  while (!existsSync(daemon)) await Bun.sleep(20);
  const daemonPid = Number(readFileSync(daemon, "utf8"));
  expect(child.hasDaemons()).toBe(true);
  child.stop("with daemons");
  while (isAlive(pid) || isAlive(daemonPid)) await Bun.sleep(20);
  expect(child.hasDaemons()).toBe(false);
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
