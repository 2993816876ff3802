import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { STORE_FLAGS } from "../../../../build/stage0/paged/store.ts";
import {
  canPage,
  childrenOf,
  packPagedChild,
  pageSets,
  waitForEnd,
  writeProgram,
} from "../../../support/paged-program.ts";

// paged-child.c reads its pages in all ways, and says whether they were right.

let lazy = "";
let hot = "";
let eager = "";
beforeAll(async () => {
  lazy = writeProgram(await packPagedChild());
  const third = new Set(Array.from({ length: 800 }, (_, index) => 0x400 + index * 3));
  hot = writeProgram(await packPagedChild({ sets: pageSets(third, new Set([0x401, 0x404])) }));
  eager = writeProgram(await packPagedChild({ flags: STORE_FLAGS.eager }));
});

function run(...argv: readonly string[]) {
  const child = Bun.spawnSync([...argv], { stderr: "pipe", timeout: 120_000 });
  return { status: child.exitCode, output: child.stdout.toString(), errors: child.stderr.toString() };
}

const ALL_RIGHT = { status: 0, output: "all right\n", errors: "" };
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

describe("a program that is unpacked when it is touched", () => {
  test.skipIf(!canPage)("finds each page, also in forks, in forks of forks, and in the kernel", async () => {
    expect(run(lazy)).toEqual(ALL_RIGHT);
    await waitForEnd(lazy);
  });

  test.skipIf(!canPage)("finds pages of sets that get into memory as a whole", async () => {
    expect(run(hot)).toEqual(ALL_RIGHT);
    await waitForEnd(hot);
  });

  test.skipIf(!canPage)(
    "is served by two processes that have nothing else open, and no memory of the program",
    async () => {
      const child = Bun.spawn([lazy, "wait"], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      await child.stdout.getReader().read();
      const [watcher = 0] = childrenOf(child.pid);
      const [pager = 0] = childrenOf(watcher);
      const read = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
      const seen = [watcher, pager].map((pid) => ({
        score: read(pid, "oom_score_adj").trim(),
        descriptors: descriptorsOf(pid),
        hasProgram: /^0*4[0-9a-f]{5}-/m.test(read(pid, "maps")),
      }));
      const ownMaps = read(child.pid, "maps");
      child.kill("SIGKILL");
      await waitForEnd(lazy);
      const descriptors = ["/dev/null", "anon_inode:[userfaultfd]", expect.stringMatching(/^pipe:/)];
      expect(seen).toEqual([1, 2].map(() => ({ score: leastScore(), descriptors, hasProgram: false })));
      expect(ownMaps).not.toMatch(/ .wx/);
      expect(ownMaps).toMatch(/^0*4[0-9a-f]{5}-/m);
    },
  );

  test.skipIf(!canPage)("goes on being served until its last fork has ended", async () => {
    const shell = Bun.spawn(["sh", "-c", '(sleep 1; echo) | "$0" fork', lazy], { stdout: "pipe", stderr: "pipe" });
    const reader = shell.stdout.getReader();
    const [, fork] = /ready (\d+)/.exec(Buffer.from((await reader.read()).value ?? []).toString()) ?? [];
    const [, parent] = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${fork}/status`, "latin1")) ?? [];
    process.kill(Number(parent), "SIGKILL");
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("all right\n");
    await waitForEnd(lazy);
    expect(await new Response(shell.stderr).text()).not.toContain("levain");
  });
});

describe("a program that is unpacked at its start", () => {
  test("finds each page", () => {
    expect(run(eager, "eager")).toEqual(ALL_RIGHT);
  });

  test.skipIf(!canPage)("is one that may not use userfaultfd", () => {
    expect(run(...NOBODY, lazy, "eager")).toEqual(ALL_RIGHT);
    expect(run(...NOBODY, hot, "eager")).toEqual(ALL_RIGHT);
  });

  test.skipIf(!canPage)("is the first process of a container, which its pager could not kill", () => {
    const inContainer = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    expect(run(...inContainer, lazy, "eager")).toEqual(ALL_RIGHT);
  });

  test("has no memory that can be both written and executed", async () => {
    const child = Bun.spawn([eager, "wait"], { stdin: "pipe", stdout: "pipe" });
    await child.stdout.getReader().read();
    expect(childrenOf(child.pid)).toEqual([]);
    expect(readFileSync(`/proc/${child.pid}/maps`, "latin1")).not.toMatch(/ .wx/);
    child.kill("SIGKILL");
    await child.exited;
  });
});

describe.skipIf(!canPage)("if the pager is killed", () => {
  type Victim = "pager" | "watcher" | "both";
  async function runAndKill(mode: "wait" | "fork", victim: Victim) {
    const child = Bun.spawn([lazy, mode], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    const reader = child.stdout.getReader();
    await reader.read();
    const helpers = childrenOf(child.pid);
    const [watcher = 0] = helpers.filter((pid) => childrenOf(pid).length > 0);
    const [pager = 0] = childrenOf(watcher);
    const victims = { pager: [pager], watcher: [watcher], both: [watcher, pager] }[victim];
    for (const pid of victims) process.kill(pid, "SIGKILL");
    try {
      child.stdin.write("\n");
      child.stdin.flush();
    } catch (error) {
      // The kernel may have killed it already.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    }
    let output = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      output += Buffer.from(value).toString();
    }
    await child.exited;
    await waitForEnd(lazy);
    return { signal: child.signalCode, output, errors: await new Response(child.stderr).text() };
  }

  const SAID = "levain: the pager, which unpacks the runtime, was killed by SIGKILL\n";

  test("the program is killed, with a message, and reads no page as zeros", async () => {
    expect(await runAndKill("wait", "pager")).toEqual({ signal: "SIGKILL", output: "", errors: SAID });
  });

  test("its forks are killed, too", async () => {
    expect(await runAndKill("fork", "pager")).toEqual({ signal: "SIGKILL", output: "", errors: SAID });
  });

  test("together with its watcher, the kernel kills the program", async () => {
    expect(await runAndKill("wait", "both")).toEqual({ signal: "SIGKILL", output: "", errors: "" });
  });

  test("but if only its watcher is, the program goes on", async () => {
    expect(await runAndKill("wait", "watcher")).toEqual({ signal: null, output: "all right\n", errors: "" });
  });
});

/** -1000, if this host lets root set it (CAP_SYS_RESOURCE). */
function leastScore(): string {
  return run(
    "sh",
    "-c",
    "echo -1000 2>/dev/null >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj",
  ).output.trim();
}

function descriptorsOf(pid: number): string[] {
  const { output } = run("find", `/proc/${pid}/fd`, "-type", "l", "-printf", "%l\n");
  return output.split("\n").filter(Boolean).sort();
}
