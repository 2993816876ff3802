// Would parallel loading of modules pay? bench/modules.c loads the modules that levain loads one after the other, with several
// threads as far as dependencies allow, and with the kernel's asynchronous probing.
//   node_modules/.bin/bun bench/modules.ts [--runs N]
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import { type Entry, packInitramfs } from "../test/support/initramfs.ts";
import { debianKernel, type Kernel, type KernelFlavour } from "../test/support/kernels.ts";
import { levainImage } from "../test/support/levain-image.ts";
import { boot } from "../test/support/qemu.ts";
import type { Bus } from "../test/support/qemu-arguments.ts";

/** A machine: its kernel, and the bus of its disk. */
interface Scene {
  readonly kernel: KernelFlavour;
  readonly bus: Bus;
  readonly disk: string;
}

/** Milliseconds from the start until all modules are loaded, and until the disk has appeared. */
interface Times {
  readonly loadedMs: number;
  readonly diskMs: number;
}

const SCENES: readonly Scene[] = [
  { kernel: "cloud", bus: "virtio", disk: "/dev/vda" },
  { kernel: "full", bus: "nvme", disk: "/dev/nvme0n1" },
  { kernel: "full", bus: "ahci", disk: "/dev/sda" },
  { kernel: "full", bus: "usb", disk: "/dev/sda" },
];
const WAYS = ["threads=1", "threads=2", "threads=4", "threads=1 options=async_probe=1"];
const DEPENDED = "/modules/";

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });

/** Returns the modules in the order in which levain loads them, and the approximate time from the kernel's first line to the real init. */
async function watchLevain({ kernel, bus }: Scene): Promise<{ names: readonly string[]; bootMs: number }> {
  const file = await rootImage("ext4", { label: "ROOT" }, { "/lib/systemd/systemd-udevd": { text: "#!/bin/sh\n" } });
  const vm = await boot({
    name: "bench-modules-levain",
    kernel,
    initrd: await levainImage({ kernel }),
    cmdline: "root=LABEL=ROOT rd.debug quiet printk.time=1",
    memoryMib: 768,
    disks: [{ file, bus }],
  });
  let bootMs = Number.NaN;
  try {
    await vm.expect("small-root: ready", 120_000);
    vm.send("cat /proc/uptime\n");
    bootMs = Number((await vm.expect(/^(\d+\.\d+) \d+\.\d+$/m))[1]) * 1000;
  } finally {
    await vm.stop();
  }
  const names = [...vm.log().matchAll(/^\s*(?:debug )?\s*module ([\w-]+)\b/gm)].map(([, name = ""]) => name);
  return { names, bootMs };
}

async function packModules(kernel: Kernel, names: readonly string[]): Promise<string> {
  const program = join(scratchDirectory(), "init");
  await run([
    "gcc",
    "-static",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    join(import.meta.dir, "modules.c"),
    "-o",
    program,
  ]);
  const lines = readFileSync(join(kernel.modulesDir, "modules.dep"), "utf8").split("\n");
  const rows = names.flatMap((name) => {
    const [path = "", ...needs] = (lines.find((line) => nameOf(line.split(":")[0] ?? "") === name) ?? "").split(/:? /);
    return path === ""
      ? []
      : [{ name, path: path.replace(/:$/, ""), needs: needs.filter((need) => need !== "").map(nameOf) }];
  });
  const entries: Record<string, Entry> = { "/init": { file: program }, "/dev": { directory: true } };
  for (const [index, { path, needs }] of rows.entries()) {
    const number = String(index).padStart(2, "0");
    entries[`${DEPENDED}${number}.ko`] = { file: join(kernel.modulesDir, path) };
    const numbers = needs.map((need) => rows.findIndex(({ name }) => name === need)).filter((found) => found >= 0);
    entries[`${DEPENDED}${number}.deps`] = { text: numbers.join(" ") };
  }
  return packInitramfs(entries);
}

function nameOf(path: string): string {
  return basename(path, ".ko").replaceAll("-", "_");
}

async function timeWay(initrd: string, { kernel, bus, disk }: Scene, way: string): Promise<Times> {
  const file = join(scratchDirectory(), "disk");
  writeFileSync(file, new Uint8Array(1 << 20));
  const cmdline = `quiet panic=1 disk=${disk} ${way}`;
  const vm = await boot({ name: "bench-modules", kernel, initrd, cmdline, disks: [{ file, bus }] });
  try {
    const [, loaded, there] = await vm.expect(/bench: \d+ modules, loaded (\d+) disk (\d+)\n/, 120_000);
    return { loadedMs: Number(loaded), diskMs: Number(there) };
  } finally {
    await vm.stop();
  }
}

/** Formats the median and the best of several runs. */
function condense(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1]} (best ${sorted[0]}) ms`;
}

for (const scene of SCENES) {
  const { names, bootMs } = await watchLevain(scene);
  const initrd = await packModules(await debianKernel(scene.kernel), names);
  console.log(
    `${scene.kernel} kernel, ${scene.bus}: levain loads ${names.length} modules, the boot takes ${bootMs.toFixed(0)} ms`,
  );
  const times = new Map<string, Times[]>(WAYS.map((way) => [way, []]));
  // In turns, so that other work of the host affects all of them.
  for (let count = 0; count < Number(values.runs); count += 1) {
    for (const way of WAYS) times.get(way)?.push(await timeWay(initrd, scene, way));
  }
  for (const [way, all] of times) {
    const [loaded, there] = [condense(all.map(({ loadedMs }) => loadedMs)), condense(all.map(({ diskMs }) => diskMs))];
    console.log(`  ${way.padEnd(36)} all loaded ${loaded}, disk appeared ${there}`);
  }
}
