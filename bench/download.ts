// Compares a download with curl: `bun bench/download.ts [--mib N] [--runs N]`, from one nginx on this host, plain and over TLS, into
// a tmpfs. They take turns. The time is that of the transfer, without the start of the program; CPU is that of the whole process.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLinuxMachine } from "../src/machine/linux/linux.ts";
import { download } from "../src/network/fetch/attempts.ts";
import { scratchDirectory } from "../test/support/cache.ts";
import { makeAuthority } from "../test/support/network/authority.ts";
import { startNginx } from "../test/support/network/nginx.ts";
import { align, median } from "./table.ts";

const TARGET = `/dev/shm/levain-bench-${process.env["BENCH_PARENT"] ?? process.pid}`;

interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

/** This program as the client: downloads a URL with an authority, and prints what it took. */
async function downloadOnce(url: string, authority: string): Promise<void> {
  const machine = createLinuxMachine();
  const order = { urls: [url], path: TARGET, limitBytes: 1 << 30, patienceMs: 60_000, proxy: null };
  const startMs = performance.now();
  const watched = { received: null, url: null, failures: [] };
  const failures = await download(machine, { ...order, digest: null, timeServers: [] }, [authority], watched);
  if (failures !== null) throw new Error(JSON.stringify(failures));
  console.log(performance.now() - startMs);
}

async function measure(argv: readonly string[]): Promise<Took> {
  const environment = { ...process.env, BENCH_PARENT: `${process.pid}` };
  const child = Bun.spawn([...argv], { stdout: "pipe", stderr: "inherit", env: environment });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")} failed`);
  const cpuTime = child.resourceUsage()?.cpuTime.total ?? 0;
  return { ms: Number(text), cpuMs: Number(cpuTime) / 1000 };
}

async function compare(mib: number, runs: number): Promise<void> {
  using authority = makeAuthority();
  const pem = join(scratchDirectory(), "authority.pem");
  writeFileSync(pem, authority.certificate);
  await using nginx = await startNginx(authority, { image: Buffer.alloc(mib << 20, "an image ") });
  const curl = ["curl", "--silent", "--fail", "--cacert", pem, "--output", TARGET, "--write-out", "%{time_total}"];
  const rows: string[][] = [];
  for (const [name, base] of [["HTTP", nginx.http] as const, ["HTTPS", nginx.https] as const]) {
    const [ours, theirs]: [Took[], Took[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      ours.push(await measure([process.execPath, import.meta.path, "--client", `${base}/image`, pem]));
      const { ms, cpuMs } = await measure([...curl, `${base}/image`]);
      theirs.push({ ms: ms * 1000, cpuMs });
    }
    for (const key of ["ms", "cpuMs"] as const) {
      const of = (all: readonly Took[]) => `${(median(all.map((one) => one[key])) ?? Number.NaN).toFixed(0)} ms`;
      rows.push([`${name}, ${mib} MiB, ${key === "ms" ? "time" : "CPU"}`, of(ours), of(theirs)]);
    }
  }
  rmSync(TARGET, { force: true });
  console.log(align([["median", "levain", "curl"], ...rows]));
}

const { values, positionals } = parseArgs({
  options: {
    mib: { type: "string", default: "100" },
    runs: { type: "string", default: "9" },
    client: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
if (values.client) await downloadOnce(positionals[0] ?? "", readFileSync(positionals[1] ?? "", "utf8"));
else await compare(Number(values.mib), Number(values.runs));
