// Compares unlocking with cryptsetup: `bun bench/unlock.ts [--only TEXT] [--runs N] [--guests CPUS,…] [--no-host]`;
// the guest "icount" has one CPU and a clock that counts instructions.
// docs/performance.md, "Unlocking", explains the figures.
import { chmodSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gatherNativeLibraries } from "../build/native-libraries.ts";
import { hostSite } from "../build/site.ts";
import { packFile } from "../build/stage0/pack.ts";
import { scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { guestPrograms } from "../test/support/guest-programs.ts";
import { packInitramfs } from "../test/support/initramfs.ts";
import { boot } from "../test/support/qemu.ts";
import { align, median } from "./table.ts";
import { provideHeaders, type TimedHeader } from "./unlock-headers.ts";

// glibc loads it when a thread of cryptsetup's Argon2 ends.
const UNWINDER = "/lib/x86_64-linux-gnu/libgcc_s.so.1";
const GUEST_MEMORY_MIB = 1024;
const GUEST_TIMEOUT_MS = 1_800_000;

type Times = readonly [name: string, oursMs: number, theirsMs: number, idleMs: number];

async function compileProgram(): Promise<string> {
  const directory = scratchDirectory();
  const compiled = join(directory, "compiled");
  const main = join(import.meta.dirname, "unlock-program.ts");
  const libraries = gatherNativeLibraries(directory, hostSite);
  const flags = ["--compile", "--minify", "--bytecode", "--format=esm", "--asset", libraries];
  await run([process.execPath, "build", ...flags, main, "--outfile", compiled]);
  const program = join(directory, "program");
  await Bun.write(program, packFile(compiled));
  chmodSync(program, 0o755);
  return program;
}

function readTimes(output: string): readonly Times[] {
  return [...output.matchAll(/^timed (\[.*\])$/gm)].map(([, line = ""]) => JSON.parse(line));
}

async function timeOnHost(program: string, headers: readonly TimedHeader[], runs: number): Promise<readonly Times[]> {
  return readTimes(await run([program, "runs", String(runs), JSON.stringify(headers)]));
}

async function timeInGuest(
  program: string,
  headers: readonly TimedHeader[],
  runs: number,
  cpus: string,
): Promise<readonly Times[]> {
  const placed = headers.map(({ name }, index) => ({ name, image: `/header${index}`, keyFile: `/key${index}` }));
  const files = headers.flatMap(({ image, keyFile }, index) => [
    [`/header${index}`, { file: image }] as const,
    [`/key${index}`, { file: keyFile }] as const,
  ]);
  const initrd = await packInitramfs({
    ...(await guestPrograms("/sbin/cryptsetup")),
    [UNWINDER]: { file: UNWINDER },
    ...Object.fromEntries(files),
    "/headers.json": { text: JSON.stringify({ runs, headers: placed }) },
    "/init": { file: program },
  });
  const clock = cpus === "icount" ? { icount: true } : { smp: Number(cpus) };
  const vm = await boot({ name: `unlock-${cpus}`, initrd, memoryMib: GUEST_MEMORY_MIB, cmdline: "quiet", ...clock });
  try {
    await vm.expect("timed all", GUEST_TIMEOUT_MS);
    return readTimes(vm.log());
  } finally {
    await vm.stop();
  }
}

function formatTimes(times: readonly Times[]): string {
  const rows = [...new Set(times.map(([name]) => name))].map((wanted) => {
    const own = times.filter(([name]) => name === wanted);
    const [ours = 0, theirs = 0, idle = 0] = ([1, 2, 3] as const).map((at) => median(own.map((row) => row[at])) ?? 0);
    return [wanted, ...[ours, theirs, idle].map((ms) => ms.toFixed(0)), (ours / theirs).toFixed(2)];
  });
  const head = ["", "levain ms", "cryptsetup ms", "its start ms", "ratio"];
  return align([head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]);
}

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "5" },
    guests: { type: "string", default: "2,4" },
    "no-host": { type: "boolean", default: false },
  },
});
const runs = Number(options.runs);
const headers = await provideHeaders(options.only);
const program = await compileProgram();
if (!options["no-host"]) {
  const load = loadavg()[0]?.toFixed(2);
  const times = await timeOnHost(program, headers, runs);
  console.log(`this host, ${availableParallelism()} CPUs (load ${load} at the start)\n\n${formatTimes(times)}\n`);
}
for (const cpus of options.guests.split(",").filter(Boolean)) {
  const times = await timeInGuest(program, headers, cpus === "icount" ? 1 : runs, cpus);
  console.log(`a QEMU guest without KVM, ${cpus === "icount" ? cpus : `${cpus} CPUs`}\n\n${formatTimes(times)}\n`);
}
