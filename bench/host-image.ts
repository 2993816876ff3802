// Compares levain image --host with mkinitramfs (MODULES=dep) and dracut --hostonly of Debian 12: the time that an image for this
// machine takes, and its size. All three see this machine's /sys, and build for Debian's full kernel, in 5 alternating rounds (or
// $ROUNDS); ONLY='levain|dracut' measures these. As root: node_modules/.bin/bun bench/host-image.ts
import { statSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { debianKernel, type Kernel } from "../test/support/kernels.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import { BUSYBOX } from "../test/support/unpacked-programs.ts";
import { runInChroot } from "./chroots.ts";
import { align, median } from "./table.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const MIB = 1 << 20;

interface Cost {
  /** Seconds of the wall clock, and of CPU time, which does not depend on what else the host does. */
  readonly wall: number;
  readonly cpu: number;
  readonly bytes: number;
}

/** Writes an image to `output`, and returns what bash's `time -p` prints. */
type Build = (kernel: Kernel, directory: string) => Promise<string>;

/** In a Debian in which / is mounted, as MODULES=dep and --hostonly look for its device. */
function inDebian(command: (version: string) => string): Build {
  return (kernel, directory) => {
    const timed = `time -p ${command(kernel.version)}`;
    const script = `cp -r /etc/initramfs-tools /tmp/conf; sed -i 's/^MODULES=.*/MODULES=dep/' /tmp/conf/initramfs.conf
      mkdir -p /root/here; mount --rbind / /root/here
      exec chroot /root/here /bin/bash -euc '
        { ${timed} >/tmp/said 2>&1; } 2>/tmp/time || { cat /tmp/said >&2; exit 1; }; cat /tmp/time; mv /tmp/image /mnt/'`;
    return runInChroot({ suite: "bookworm", purpose: "disk" }, kernel, script, directory);
  };
}

function withLevain(kernel: Kernel, directory: string): Promise<string> {
  const script = 'time -p "$0" image --host --modules-dir "$1" --busybox "$2" -o "$3" >"$3.said"';
  const argv = ["bash", "-euc", script, LEVAIN, kernel.modulesDir, BUSYBOX, join(directory, "image")];
  const { exitCode, stderr } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(stderr.toString());
  return Promise.resolve(stderr.toString());
}

const BUILDS: Readonly<Record<string, Build>> = {
  "levain image --host": withLevain,
  "mkinitramfs, MODULES=dep": inDebian((version) => `mkinitramfs -d /tmp/conf -o /tmp/image ${version}`),
  "dracut --hostonly": inDebian((version) => `dracut --hostonly --quiet --kver ${version} /tmp/image`),
};

async function measure(build: Build, kernel: Kernel): Promise<Cost> {
  const directory = scratchDirectory();
  const said = await build(kernel, directory);
  const seconds = (name: string) => Number(new RegExp(`^${name} ([\\d.]+)$`, "m").exec(said)?.[1] ?? Number.NaN);
  const bytes = statSync(join(directory, "image")).size;
  return { wall: seconds("real"), cpu: seconds("user") + seconds("sys"), bytes };
}

const kernel = await debianKernel("full");
const chosen = Object.entries(BUILDS).filter(([name]) => new RegExp(process.env["ONLY"] ?? "").test(name));
const costs = Object.fromEntries(chosen.map(([name]): [string, Cost[]] => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, build] of chosen) {
    const cost = await measure(build, kernel);
    costs[name]?.push(cost);
    console.error(`${name}: ${JSON.stringify(cost)}`);
  }
}
const show = (values: readonly number[]) => (median(values) ?? Number.NaN).toFixed(2);
const rows = Object.entries(costs).map(([name, all]) => [
  name,
  show(all.map(({ wall }) => wall)),
  show(all.map(({ cpu }) => cpu)),
  show(all.map(({ bytes }) => bytes / MIB)),
]);
console.log(align([["", "s", "s of CPU", "MiB"], ["---", "---:", "---:", "---:"], ...rows]));
