import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLinuxMachine } from "../../../../src/machine/linux/linux.ts";
import type { Machine } from "../../../../src/machine/machine.ts";
import { type Downloaded, downloadFile } from "../../../../src/network/fetch/download.ts";
import { report } from "../../../../src/problems/report.ts";

const ROOT = join(import.meta.dir, "../../../..");
const directory = mkdtempSync(join(tmpdir(), "levain-download-"));
const ownProgram = process.argv[1];
let machine: Machine;
let server: Bun.Subprocess<"ignore", "pipe">;
let url = "";

beforeAll(async () => {
  // The child is this program again: outside the compiled one, the script that was started.
  process.argv[1] = join(ROOT, "src/main.ts");
  machine = createLinuxMachine();
  server = Bun.spawn([process.execPath, join(ROOT, "test/support/network/file-server.ts")], {
    stdin: "ignore",
    stdout: "pipe",
  });
  const { value } = await server.stdout.getReader().read();
  url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
});

afterAll(() => {
  process.argv[1] = ownProgram ?? "";
  server.kill();
  rmSync(directory, { recursive: true });
});

function get(name: string, onProgress: (text: string) => void = () => undefined): Downloaded {
  const voice = { warn: () => undefined, debug: () => undefined, progress: onProgress };
  const path = join(directory, name);
  const common = { limitBytes: 10 << 20, patienceMs: 1000, proxy: null, digest: null, timeServers: [] };
  return downloadFile({ machine, voice }, { urls: [`${url}/${name}`], path, ...common }, name);
}

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return report(error).join("\n");
  }
  throw new Error("was not refused");
}

/** The processes of this one that download. */
function listDownloads(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
        return words.includes("download") && readFileSync(`/proc/${pid}/stat`, "latin1").includes(` ${process.pid} `);
      } catch {
        return false;
      }
    });
}

test("another process downloads a file, and reports how far it is", () => {
  const heard: string[] = [];
  expect(get("file", (text) => heard.push(text))).toEqual({ url: `${url}/file`, bytes: 3_000_000 });
  expect(statSync(join(directory, "file")).size).toBe(3_000_000);
  // On a busy host the server may be late.
  const [first] = heard.filter((text) => !text.startsWith("waiting for file, "));
  expect(first).toMatch(/^downloading file, [\d.]+ .iB of 2.9 MiB \(\d+ %\), [\d.]+ .iB\/s(?:, \d+ s left)?$/);
  expect(listDownloads()).toEqual([]);
});

test("a process that is killed is a message", () => {
  const words = complaint(() =>
    get("endless", () => {
      for (const pid of listDownloads()) process.kill(pid, "SIGKILL");
    }),
  );
  expect(words).toContain("could not download endless\n  the process that downloads ended with status 137");
  expect(listDownloads()).toEqual([]);
});

test("what the process cannot download comes back in words", () => {
  expect(complaint(() => get("none"))).toContain(`${url}/none: the server answers with status 404`);
});
