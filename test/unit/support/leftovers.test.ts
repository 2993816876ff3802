import { expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../../support/command.ts";

const MODULE = join(import.meta.dir, "../../support/leftovers.ts");

/** What a program that has run this shell script, to its end, finds of it afterwards. */
async function leftBy(script: string): Promise<readonly string[]> {
  const program = `
    import { adoptOrphans, leftovers } from ${JSON.stringify(MODULE)};
    adoptOrphans();
    Bun.spawnSync(["sh", "-c", process.argv.at(-1)], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    const found = await leftovers(1000);
    console.log(JSON.stringify(found.map(({ command }) => command)));
    for (const { pid } of found) process.kill(pid, "SIGKILL");
    if ((await leftovers(5000)).length > 0) throw new Error("they do not go");`;
  return JSON.parse(await run([process.execPath, "-e", program, script]));
}

test("a daemon that a test leaves behind is found, in a session, a PID namespace and with an environment of its own", async () => {
  expect(await leftBy("setsid sh -c 'sleep 61 & sleep 62' &")).toContain("sleep 62");
  expect(await leftBy("(env -i setsid sleep 63 &)")).toEqual(["sleep 63"]);
  if (process.getuid?.() === 0) expect(await leftBy("(unshare --pid --fork sleep 64 &)")).toContain("sleep 64");
});

test("a process that ends within the grace is none, and neither is one that is only not waited for", async () => {
  expect(await leftBy("(sleep 0.3 &)")).toEqual([]);
  expect(await leftBy("(true &); :")).toEqual([]);
  expect(await leftBy("unshare --pid --fork --kill-child sh -c 'setsid sleep 65 &' || :")).toEqual([]);
});
