// Runs what is named on the command line (build, check, coverage, vm, long), goes on after a failure, and says at the very end
// "N passed, N failed" over all of it. A tool such as tsc counts as one test, and so does the check for processes that still run.
// Of vm and long, the environment variable T selects the tests whose name contains it.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { chosenTests } from "./support/aarch64-tests.ts";
import { cacheDirectory, scratchDirectory } from "./support/cache.ts";
import { coverageFlags } from "./support/coverage.ts";
import { failedTests } from "./support/failed-tests.ts";
import { adoptOrphans, leftovers } from "./support/leftovers.ts";
import { COSTS_VARIABLE, LOST_GUESTS_VARIABLE, sumCosts } from "./support/run-notes.ts";
import { provideTimings } from "./support/slow-tests.ts";

interface Task {
  readonly name: string;
  readonly argv: readonly string[];
  /** The file where `bun test` counts. */
  readonly report?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  /** What failed, to be read at the end of a long output. */
  readonly failures: readonly string[];
}

const BUN = process.execPath;
const CPUS = availableParallelism();
/** While files wait for a guest, a fixture of another process or the network, so many others keep the CPUs busy. */
const WAITING_FILES = 2;
/** What a program may take to end after the test that started it, on a host that is busy. */
const GRACE_MS = 10_000;
// Guests have their own, shorter ones; these are for tests that wait for a fixture or run while other programs need the CPUs.
const TEST_TIMEOUT = "--timeout=600000";
const NAME_PATTERN = "--test-name-pattern=";
const GUEST_TEST_TIMEOUT = "--timeout=1800000";

/** So many files at a time, those that took longest last time first. */
function bunTest(name: string, files: number, ...args: readonly string[]): Task {
  const report = join(scratchDirectory(), `${name}.xml`);
  const timings = join(cacheDirectory(), `${name}-timings.json`);
  provideTimings(timings);
  const order = [`--parallel=${files}`, `--timings=${timings}`];
  // Some tests of a file say little about how long the file takes.
  if (!args.some((arg) => arg.startsWith(NAME_PATTERN))) order.push("--update-timings");
  return { name, argv: [BUN, "test", "--reporter=junit", `--reporter-outfile=${report}`, ...order, ...args], report };
}

// The tests leave their coverage there, so that it costs no second run.
const coverage = scratchDirectory();

const GROUPS: Readonly<Record<string, () => readonly Task[]>> = {
  build: () => [{ name: "build", argv: ["make", "-s", "dist/levain", "dist/levain-aarch64"] }],
  check: () => [
    { name: "types", argv: ["node_modules/.bin/tsc", "--noEmit"] },
    { name: "style", argv: ["node_modules/.bin/biome", "check", "--error-on-warnings"] },
    bunTest(
      "tests",
      CPUS,
      "--only-failures",
      TEST_TIMEOUT,
      ...coverageFlags(coverage),
      "test/unit",
      "test/boot",
      "test/contract",
      "test/architecture.test.ts",
    ),
  ],
  coverage: () => [{ name: "coverage", argv: [BUN, "test/support/coverage.ts", coverage] }],
  long: () => guestTasks("long", CPUS),
  vm: () => guestTasks("vm", CPUS + WAITING_FILES),
};

/** The tests of a directory, and what runs on AArch64 besides; all of that and nothing else with GUEST_ARCH=aarch64. */
function guestTasks(name: "vm" | "long", files: number): readonly Task[] {
  const part = process.env["T"] ?? "";
  if (process.env["GUEST_ARCH"] === "aarch64") return aarch64Tasks(files, part, "test", "long");
  const own = bunTest(name, files, GUEST_TEST_TIMEOUT, ...selection(part ? [part] : []), `test/${name}`);
  return [own, ...aarch64Tasks(files, part, name === "vm" ? "test" : "long")];
}

function aarch64Tasks(files: number, part: string, ...runs: readonly ("test" | "long")[]): readonly Task[] {
  const chosen = chosenTests(...runs);
  const names = chosen.names.filter((name) => name.includes(part));
  if (names.length === 0) return [];
  const task = bunTest("aarch64", files, GUEST_TEST_TIMEOUT, ...selection(names), ...chosen.files);
  return [{ ...task, environment: { GUEST_ARCH: "aarch64" } }];
}

/** The argument of `bun test` for tests whose name, with those of its groups in front, contains one of `parts`; none for all tests. */
function selection(parts: readonly string[]): readonly string[] {
  if (parts.length === 0) return [];
  return [`${NAME_PATTERN}${parts.map((part) => part.replace(/[^\w\s]/g, "\\$&")).join("|")}`];
}

/** Makes fixtures while the tests before those of guests run. */
function beginFixtures(): Promise<number> {
  const options = { env: process.env, stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
  return Bun.spawn([BUN, "test/support/early-fixtures.ts"], options).exited;
}

let isStopping = false;

async function runTask(task: Task): Promise<Count> {
  // stop() ends the process; a task that began now would outlive it.
  if (isStopping) return new Promise(() => undefined);
  const startMs = performance.now();
  // Without `env`, the runtime passes on the environment that this process was started with, without the files named here.
  const env = { ...process.env, ...task.environment };
  const options = { env, stdin: "ignore", stdout: "inherit", stderr: "inherit" } as const;
  const status = await Bun.spawn([...task.argv], options).exited;
  const count = task.report === undefined ? { ...NONE, passed: status === 0 ? 1 : 0 } : readCount(task.report);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  // A test file that cannot be loaded, or a runner that crashed, is in no count.
  const isUncounted = status !== 0 && count.failed === 0;
  const failed = isUncounted ? 1 : count.failed;
  const failures = isUncounted ? [`${task.name} ended with status ${status}`] : count.failures;
  console.log(`== ${task.name}: ${count.passed} passed, ${failed} failed (${seconds} s)`);
  return { passed: count.passed, failed, failures };
}

const NONE: Count = { passed: 0, failed: 0, failures: [] };

function readCount(report: string): Count {
  if (!existsSync(report)) return NONE;
  const xml = readFileSync(report, "utf8");
  const head = /<testsuites[^>]*>/.exec(xml)?.[0] ?? "";
  const attribute = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  return { passed: attribute("tests") - failed - attribute("skipped"), failed, failures: failedTests(xml) };
}

/** Reports and ends what the tests left running; whether there was nothing. */
async function endLeftovers(): Promise<boolean> {
  const found = await leftovers(GRACE_MS);
  for (const { pid, command } of found) {
    console.log(`== a test left process ${pid} running, which is killed now: ${command}`);
    process.kill(pid, "SIGKILL");
  }
  return found.length === 0;
}

function countLostGuests(file: string): void {
  const lost = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  for (const what of lost) console.log(`== QEMU lost a guest, which was booted once more: ${what}`);
  console.log(`== guests that were booted once more: ${lost.length}`);
}

/** Ends everything that was started here, so that a run that is stopped leaves nothing behind. */
async function stop(status: number): Promise<never> {
  isStopping = true;
  for (const { pid } of await leftovers(0)) process.kill(pid, "SIGKILL");
  await leftovers(GRACE_MS);
  process.exit(status);
}

// By default, the runtime's allocator gives freed memory back to the kernel at once, and gets it again page by page: this was half
// of the CPU time of boots on the fake machine.
process.env["MIMALLOC_PURGE_DELAY"] = "-1";
adoptOrphans();
for (const [signal, number] of [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const)
  process.on(signal, () => void stop(128 + number));
const lostGuests = join(scratchDirectory(), "lost-guests");
process.env[LOST_GUESTS_VARIABLE] = lostGuests;
const costs = join(scratchDirectory(), "costs");
process.env[COSTS_VARIABLE] = costs;
const tasks = process.argv.slice(2).flatMap((name) => {
  const group = GROUPS[name];
  if (group === undefined) throw new Error(`test/run.ts knows ${Object.keys(GROUPS).join(", ")}, not "${name}"`);
  return group();
});
const isWholeRun = tasks.length > 1 && tasks.some(({ name }) => name === "vm") && !process.env["T"];
const fixtures = isWholeRun ? beginFixtures() : null;
const counts: Count[] = [];
for (const task of tasks) counts.push(await runTask(task));
let [passed, failed] = [counts.reduce((sum, c) => sum + c.passed, 0), counts.reduce((sum, c) => sum + c.failed, 0)];
await fixtures;
countLostGuests(lostGuests);
for (const line of sumCosts(costs)) console.log(`== CPU time: ${line}`);
if (await endLeftovers()) passed += 1;
else failed += 1;
for (const what of counts.flatMap(({ failures }) => failures)) console.log(`== failed: ${what}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
