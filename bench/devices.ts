// Compares levain and blkid at probing 500 devices: image files of every type on this host, loop devices in a guest.
//   node_modules/.bin/bun bench/devices.ts
import { cpSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { guestPrograms } from "../test/support/guest-programs.ts";
import { busyboxEntries, packDirectory, writeTree } from "../test/support/initramfs.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { LEVAIN, levainInit } from "../test/support/levain-image.ts";
import { provideImage } from "../test/support/probe/image-store.ts";
import { RECIPES } from "../test/support/probe/recipes.ts";
import { boot } from "../test/support/qemu.ts";

const COUNT = 500;
const ROUNDS = 5;
const BLKID = "/usr/sbin/blkid";

/** Milliseconds of CPU (user and kernel) and of the wall clock. */
interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

function measure(argv: readonly string[]): Cost {
  const startMs = performance.now();
  const { resourceUsage } = Bun.spawnSync([...argv], { stdout: "ignore", stderr: "ignore" });
  const wallMs = performance.now() - startMs;
  return { cpuMs: Number(resourceUsage?.cpuTime.total ?? 0) / 1000, wallMs };
}

function middle(costs: readonly Cost[]): Cost {
  const sorted = costs.toSorted((a, b) => a.cpuMs - b.cpuMs);
  return sorted[Math.floor(sorted.length / 2)] ?? { cpuMs: Number.NaN, wallMs: Number.NaN };
}

function tell(what: string, { cpuMs, wallMs }: Cost): void {
  console.log(`${what.padEnd(44)} ${cpuMs.toFixed(0).padStart(6)} ms CPU ${wallMs.toFixed(0).padStart(6)} ms`);
}

/** blkid stops at the first unknown file, so both know all of these. */
async function knownFiles(): Promise<readonly string[]> {
  const files: string[] = [];
  for (const recipe of RECIPES) files.push(await provideImage(recipe));
  const known = files.filter((file) => Bun.spawnSync([BLKID, "-p", file], { stdout: "ignore" }).exitCode === 0);
  return Array.from({ length: COUNT }, (_, index) => known[index % known.length] ?? "");
}

async function benchFiles(): Promise<void> {
  const files = await knownFiles();
  const contestants: readonly [string, readonly string[]][] = [
    ["blkid -p -o export, one process", [BLKID, "-p", "-o", "export", ...files]],
    ["levain devices", [LEVAIN, "devices", ...files]],
    ["levain devices, one file (start-up alone)", [LEVAIN, "devices", files[0] ?? ""]],
  ];
  console.log(`${COUNT} image files of ${RECIPES.length} types on this host, median of ${ROUNDS}:`);
  // In turns, so that a busy moment of the host affects all of them.
  const rounds = Array.from({ length: ROUNDS }, () => contestants.map(([, argv]) => measure(argv)));
  for (const [index, [what]] of contestants.entries()) {
    tell(what, middle(rounds.flatMap((round) => round[index] ?? [])));
  }
}

const GUEST = `
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir /tmp; mount -t tmpfs tmp /tmp
insmod /loop.ko max_loop=${COUNT}
i=0; while [ $i -lt ${COUNT} ]; do cp /image /tmp/$i; losetup /dev/loop$i /tmp/$i; i=$((i + 1)); done
echo "== blkid"; time blkid -p -o export /dev/loop[0-9]* > /tmp/theirs
echo "== levain"; time levain devices /dev/loop[0-9]* > /tmp/ours
echo "== start"; time levain devices /dev/loop0 > /dev/null
cmp /tmp/theirs /tmp/ours && echo "same: $(grep -c ^DEVNAME= /tmp/ours)"
poweroff -f
`;

/** The smallest image that both know on every loop device, to measure devices and not types. */
async function guestInitramfs(): Promise<string> {
  const { modulesDir } = await debianKernel("cloud");
  const tree = scratchDirectory();
  const recipe = RECIPES.find(({ name }) => name === "ext2-tiny");
  if (recipe === undefined) throw new Error("no recipe ext2-tiny");
  writeTree(tree, {
    ...busyboxEntries(GUEST),
    ...(await guestPrograms(BLKID)),
    "/bin/levain": { file: levainInit() },
    "/image": { file: await provideImage(recipe) },
  });
  cpSync(join(modulesDir, "kernel/drivers/block/loop.ko"), join(tree, "loop.ko"));
  return packDirectory(tree);
}

/** The guest's clock counts instructions, so that other work of this host does not affect the result. */
async function benchLoops(): Promise<void> {
  const initrd = await guestInitramfs();
  const vm = await boot({ name: "bench-devices", initrd, cmdline: "quiet", memoryMib: 3072, icount: true });
  try {
    await vm.expect(`same: ${COUNT}`, 600_000);
  } finally {
    await vm.stop();
  }
  console.log(
    `\n${COUNT} loop devices in a guest, at 500 million instructions a second (a real CPU executes several thousand million):`,
  );
  for (const [, who = "", real = "", user = "", sys = ""] of vm.log().matchAll(TIMES)) {
    const what = who === "start" ? "levain devices, one device" : who;
    tell(what, { cpuMs: toMs(user) + toMs(sys), wallMs: toMs(real) });
  }
}

const TIMES = /== (\w+)\nreal\t(.*)\nuser\t(.*)\nsys\t(.*)\n/g;

/** Parses the output of BusyBox's time: "1m 2.34s". */
function toMs(text: string): number {
  const [, minutes = "0", seconds = "0"] = /(\d+)m ([\d.]+)s/.exec(text) ?? [];
  return (Number(minutes) * 60 + Number(seconds)) * 1000;
}

await benchFiles();
await benchLoops();
