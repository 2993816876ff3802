// Compares the copy of an image to memory with dd: the same file, from the disk and from the page cache to a tmpfs, without a check and
// with each kind of digest: `unshare --mount node_modules/.bin/bun bench/ram-copy.ts [MIB [ROUNDS [LIMITS]]]`, as root. levain copies to a
// tmpfs with huge pages, as a boot does, dd to /dev/shm. The third figure does not depend on what else the host does: how fast the check
// alone would be, by the CPU time of the process that checks. LIMITS, as "30,100,500", are those of media that the disk stands for, in
// MiB/s: the kernel lets this process read no faster (blkio, cgroup v1).
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyFile } from "../src/machine/linux/workers/copies.ts";
import { digestCheck } from "../src/stack/verify/stream-check.ts";
import { scratchDirectory } from "../test/support/cache.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import { median } from "./table.ts";

const ROUNDS = Number(process.argv[3] ?? 7);
const MIB = Number(process.argv[2] ?? 256);
const DIGESTS = ["sha256", "sha1", "md5", "sha512"];

const directory = scratchDirectory();
const shared = mkdtempSync("/dev/shm/levain-bench-");
const memory = join(directory, "ram");
const [source, target, copied] = [join(directory, "image"), join(memory, "image"), join(shared, "image")];

const GROUPS = "/sys/fs/cgroup/blkio";
const LIMITS = process.argv[4]?.split(",").map(Number) ?? [];

/** Calls `body` while this process, and those it starts, read no more than `mib` MiB a second from the disk of `source`. */
function limited(mib: number, body: () => void): void {
  const group = join(GROUPS, `levain-bench-${process.pid}`);
  const { dev } = statSync(source);
  mkdirSync(group);
  try {
    // stat(2)'s number of a disk, as the kernel's major:minor.
    writeFileSync(join(group, "blkio.throttle.read_bps_device"), `${dev >> 8}:${dev & 0xff} ${mib << 20}\n`);
    writeFileSync(join(group, "cgroup.procs"), `${process.pid}\n`);
    body();
  } finally {
    writeFileSync(join(GROUPS, "cgroup.procs"), `${process.pid}\n`);
    rmdirSync(group);
  }
}

interface Figures {
  readonly cold: number;
  readonly cached: number;
  readonly checked: number;
}

function run(...argv: readonly string[]): void {
  const { exitCode } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: exit status ${exitCode}`);
}

/** MiB/s of the wall clock, and of this process's CPU time. */
function time(copy: () => void): { readonly wall: number; readonly cpu: number } {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  copy();
  const { user, system } = process.cpuUsage(startCpu);
  const seconds = (performance.now() - startMs) / 1000;
  for (const one of [target, copied]) rmSync(one, { force: true });
  return { wall: MIB / seconds, cpu: (MIB * 1e6) / (user + system) };
}

/** Of dd(1): discards the cache of the file. */
function forget(): void {
  run("dd", `of=${source}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none");
}

function measure(copy: () => void): Figures {
  forget();
  const cold = time(copy);
  const cached = time(copy);
  return { cold: cold.wall, cached: cached.wall, checked: cached.cpu };
}

/** As src/stack/copy-to-ram.ts does it; the digest cannot match, but that shows at the end only. */
function copyChecked(algorithm: string): void {
  const check = digestCheck(algorithm, "", "the benchmark", false);
  copyFile(source, target, { onBytes: (part) => check.update(part) }, LEVAIN);
  check.finish();
}

/** Prints how fast each way is from the disk and from the page cache. */
function compareCaches(): void {
  const rounds = Array.from({ length: ROUNDS }, () => Object.values(ways).map(measure));
  const middle = (way: number, key: keyof Figures) => median(rounds.map((round) => round[way]?.[key] ?? 0)) ?? 0;
  console.log(
    `${MIB} MiB, median of ${ROUNDS}, MiB/s (per cent of dd): from the disk, from the page cache, of the check's CPU time`,
  );
  for (const [way, name] of Object.keys(ways).entries()) {
    const show = (key: keyof Figures) => {
      const percent = `(${((100 * middle(way, key)) / middle(0, key)).toFixed(0)} %)`;
      return `${middle(way, key).toFixed(0).padStart(6)} ${percent.padStart(7)}`;
    };
    const cpu = way < 2 ? "" : middle(way, "checked").toFixed(0).padStart(8);
    console.log(`${name.padEnd(18)}${show("cold")}${show("cached")}${cpu}`);
  }
}

/** Prints how fast each way is from media with the limits. */
function compareLimits(): void {
  console.log(`${MIB} MiB, median of ${ROUNDS}, MiB/s (per cent of dd), from a medium of ${LIMITS.join(", ")} MiB/s`);
  const found = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const mib of LIMITS) {
      for (const [name, copy] of Object.entries(ways)) {
        forget();
        const key = `${mib} ${name}`;
        limited(mib, () => void found.set(key, [...(found.get(key) ?? []), time(copy).wall]));
      }
    }
  }
  for (const name of Object.keys(ways)) {
    const show = LIMITS.map((mib) => {
      const [own, dd] = [name, "dd bs=4M"].map((way) => median(found.get(`${mib} ${way}`) ?? []) ?? 0);
      const percent = `(${((100 * (own ?? 0)) / (dd ?? 1)).toFixed(0)} %)`;
      return `${(own ?? 0).toFixed(0).padStart(6)} ${percent.padStart(7)}`;
    });
    console.log(`${name.padEnd(18)}${show.join("")}`);
  }
}

const ways: Readonly<Record<string, () => void>> = {
  "dd bs=4M": () => run("dd", `if=${source}`, `of=${copied}`, "bs=4M", "status=none"),
  "levain, no check": () => copyFile(source, target, {}),
  ...Object.fromEntries(DIGESTS.map((name) => [`levain, ${name}`, () => copyChecked(name)])),
};
mkdirSync(memory);
run("mount", "-t", "tmpfs", "-o", "huge=always", "levain-bench", memory);
try {
  writeFileSync(
    source,
    crypto
      .getRandomValues(new Uint8Array(65536))
      .toBase64()
      .repeat(MIB * 12)
      .slice(0, MIB << 20),
  );
  if (LIMITS.length > 0) compareLimits();
  else compareCaches();
} finally {
  run("umount", "--lazy", memory);
  for (const one of [directory, shared]) rmSync(one, { recursive: true, force: true });
}
