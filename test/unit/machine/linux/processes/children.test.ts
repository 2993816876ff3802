import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeJson } from "../../../../../src/filesystems/run-apart.ts";
import { CHILD_COMMANDS } from "../../../../../src/machine/child-commands.ts";
import { children } from "../../../../../src/machine/linux/processes/child.ts";
import { orIfFailed } from "../../../../../src/problems/errors.ts";
import { scratchDirectory } from "../../../../support/cache.ts";

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
