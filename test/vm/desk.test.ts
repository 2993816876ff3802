import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { runScript } from "../support/command.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// Not a guest: dist/levain on a desk where other programs of the same runtime are at home.

/** What a project of Bun or Node has in its directory, all of it harmful to a program that obeys it. */
const PROJECT: Readonly<Record<string, string>> = {
  "bunfig.toml": 'preload = ["./harm.ts"]\nlogLevel = "debug"\n[run]\nbun = true\n',
  ".env": "BUN_OPTIONS=--bogus\nLD_PRELOAD=/none.so\nHARM=1\n",
  ".env.local": "BUN_BE_BUN=1\n",
  "harm.ts": 'console.log("HARM");\nprocess.exit(3);\n',
  "package.json": '{"name":"harm","type":"commonjs","main":"./harm.ts","imports":{"#*":"./harm.ts"}}',
  "tsconfig.json": '{"compilerOptions":{"baseUrl":"."',
  "node_modules/citty/package.json": '{"name":"citty","main":"../../harm.ts"}',
};

/** Variables that a runtime, its libraries or its loader obey. */
const VARIABLES = [
  ...["BUN_OPTIONS=--preload ./harm.ts", "BUN_OPTIONS=--bogus", "BUN_BE_BUN=1", "BUN_INSPECT=ws://127.0.0.1:1/x"],
  ...["BUN_INSPECT_PRELOAD=./harm.ts", "BUN_JSC_useJIT=0", "BUN_JSC_dumpOptions=2", "JavaScriptCoreUseJIT=0"],
  ...["NODE_OPTIONS=--require ./harm.ts", "NODE_CHANNEL_FD=x", "NODE_UNIQUE_ID=1", "NODE_PATH=.", "NODE_ENV=test"],
  ...["LD_PRELOAD=/none.so", "LD_AUDIT=/none.so", "LD_LIBRARY_PATH=.", "LD_TRACE_LOADED_OBJECTS=1", "LD_DEBUG=libs"],
  ...["GLIBC_TUNABLES=glibc.malloc.check=3", "MALLOC_PERTURB_=9", "MIMALLOC_DISALLOW_OS_ALLOC=1", "mimalloc_verbose=1"],
  ...["DEBUG=*", "CI=1", "TEST=1", "NO_COLOR=1", "FORCE_COLOR=3", "CONSOLA_LEVEL=0", "COLUMNS=3"],
  ...["LC_ALL=none", "TZ=none", "TMPDIR=/none", "HOME=/none", "TERM="],
];

async function project(): Promise<string> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "node_modules/citty"), { recursive: true });
  for (const [path, text] of Object.entries(PROJECT)) writeFileSync(join(directory, path), text);
  await runScript('truncate -s 8M "$1/disk"; mke2fs -q -t ext4 -L DESK "$1/disk"', [directory]);
  return directory;
}

test(
  "neither the current directory nor a variable of another program changes what it does",
  async () => {
    const directory = await project();
    const run = (variable: string) =>
      Bun.spawnSync([LEVAIN, "devices", "disk"], {
        cwd: directory,
        env: Object.fromEntries([variable.split(/=(.*)/s, 2)]),
      });
    const shown = run("PATH=/usr/bin");
    expect(shown.stdout.toString()).toContain("\nLABEL=DESK\n");
    for (const variable of VARIABLES) {
      const { exitCode, stdout, stderr } = run(variable);
      expect([variable, exitCode, stdout.toString(), stderr.toString()]).toEqual([
        variable,
        0,
        shown.stdout.toString(),
        "",
      ]);
    }
  },
  QUEUE_TIMEOUT_MS,
);

test("a full output is reported, a closed pipe is not", async () => {
  const directory = await project();
  const told = await runScript(`cd "$1"; "${LEVAIN}" devices disk 2>&1 >/dev/full || echo "status $?"`, [directory]);
  expect(told).toBe("cannot write to standard output\n  standard output: there is no space left (ENOSPC)\nstatus 1\n");
  const many = "disk ".repeat(3000);
  const cut = await runScript(`cd "$1"; { "${LEVAIN}" devices ${many} || :; } 2>&1 | head -n 1`, [directory]);
  expect(cut).toBe("DEVNAME=disk\n");
});
