import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import { filesImage } from "../test/support/disk-images.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { LEVAIN } from "../test/support/levain-image.ts";
import { layerImage } from "../test/support/live-media.ts";
import { CANDIDATES, type Candidate, type Family, provideImage } from "./candidates.ts";
import { type Purpose, runInChroot } from "./chroots.ts";
import { timeGuest } from "./guest.ts";
import { furtherDisks, markChanges, sceneDisk, sceneWords } from "./scenes.ts";

/** A point of a curve: the time from `Run /init` to the real init, with so many further disks, modules or layers. */
export interface Point {
  readonly count: number;
  readonly seconds: number;
}

/** What grows, and the tools that are measured with it. */
export interface Curve {
  readonly name: string;
  readonly title: string;
  /** Boots with so many, and returns the milliseconds from `Run /init` to the real init. */
  readonly tools: Readonly<Record<string, (count: number) => Promise<number>>>;
}

const MEMORY_MIB = 1024;

const PEERS: readonly (readonly [string, Family])[] = [
  ["levain", "levain"],
  ["initramfs-tools (sid)", "initramfs-tools"],
  ["dracut (sid)", "dracut"],
];

export const CURVES: readonly Curve[] = [
  {
    name: "disks",
    title: "further disks (virtio-scsi, an ext2 on each)",
    tools: Object.fromEntries(
      PEERS.map(([name, family]) => [name, async (count) => bootDisks(await imageOf(name, "disk"), family, count)]),
    ),
  },
  {
    name: "modules",
    title: "further modules (loaded by name before the root is mounted)",
    tools: { levain: bootModules, "initramfs-tools (sid)": bootPeerModules },
  },
  {
    name: "layers",
    title: "further layers (boot=live, squashfs files on one FAT)",
    tools: Object.fromEntries(
      PEERS.slice(0, 2).map(([name]) => [name, async (count) => bootLayers(await imageOf(name, "live"), count)]),
    ),
  },
];

async function imageOf(name: string, purpose: Purpose): Promise<string> {
  const candidate = CANDIDATES.find((other): other is Candidate => other.name === name);
  if (candidate === undefined) throw new Error(`no candidate ${name}`);
  return provideImage(candidate, await debianKernel("cloud"), purpose);
}

type Options = Pick<Parameters<typeof timeGuest>[0], "name" | "image" | "disks" | "cmdline"> & { extra?: string[] };

/** Boots a guest by icount, and returns the milliseconds from `Run /init` to the real init. */
export async function initMs(options: Options): Promise<number> {
  const { startMs, initMs } = await timeGuest({ ...options, icount: true, memoryMib: MEMORY_MIB });
  return initMs - startMs;
}

/** The root is on the same controller as the further disks, so that their driver is loaded. */
async function bootDisks(image: string, family: Family, count: number): Promise<number> {
  const disks = [{ file: await sceneDisk("disk"), bus: "scsi" as const }];
  return initMs({
    name: `disks-${count}`,
    image,
    disks,
    cmdline: sceneWords(family, "disk"),
    extra: await furtherDisks(count),
  });
}

/** Returns the names of modules that need no other and no device, always the same ones. */
async function moduleNames(count: number): Promise<readonly string[]> {
  const { modulesDir } = await debianKernel("cloud");
  const lines = readFileSync(join(modulesDir, "modules.dep"), "utf8").split("\n");
  const quiet = /^kernel\/(?:fs\/nls|net\/sched|net\/ipv[46]|net\/netfilter|crypto|lib)\/.*:/;
  // They fail on purpose, or test something when they are loaded.
  const unfit = /tcrypt|test|error-inject|ansi_cprng/;
  const names = lines
    .filter((line) => quiet.test(line) && !unfit.test(line))
    .toSorted((one, other) => needs(one) - needs(other) || (one < other ? -1 : 1))
    .map((line) => basename(line.split(":")[0] ?? "", ".ko"));
  if (names.length < count) throw new Error(`this kernel has only ${names.length} modules of that kind`);
  return names.slice(0, count);
}

function needs(line: string): number {
  return line.split(":")[1]?.split(" ").filter(Boolean).length ?? 0;
}

async function bootModules(count: number): Promise<number> {
  const names = await moduleNames(count);
  const { modulesDir } = await debianKernel("cloud");
  const place = scratchDirectory();
  const [config, output] = [join(place, "levain.toml"), join(place, "image")];
  const parameters = count === 0 ? "" : `parameters = ["rd.modules=${names.join(",")}"]`;
  await Bun.write(config, `modules = ${JSON.stringify(names)}\n${parameters}\n`);
  await run([LEVAIN, "image", "--config", config, "--output", output, "--modules-dir", modulesDir]);
  return bootWith(output, "levain", `modules-${count}`);
}

async function bootPeerModules(count: number): Promise<number> {
  const names = await moduleNames(count);
  const kernel = await debianKernel("cloud");
  const script = `cp -r /etc/initramfs-tools conf; printf '%s\\n' ${names.join(" ")} >> conf/modules
    mkinitramfs -d conf -o image ${kernel.version}; cp image /mnt/`;
  const directory = await cached("bench", `modules-${recipeKey(script)}`, async (target) => {
    await runInChroot({ suite: "sid", purpose: "disk" }, kernel, script, target);
  });
  return bootWith(join(directory, "image"), "initramfs-tools", `modules-${count}-peer`);
}

async function bootWith(image: string, family: Family, name: string): Promise<number> {
  const disks = [{ file: await sceneDisk("disk") }];
  return initMs({ name, image, disks, cmdline: sceneWords(family, "disk") });
}

/** Boots a live medium with further layers, whose names sort above the root's, and returns the milliseconds from `Run /init` to the real init. */
export async function bootLayers(image: string, count: number): Promise<number> {
  const root = await rootImage("squashfs-zstd", {}, await markChanges());
  const layer = await layerImage({ "/etc/layer": "one more\n" });
  const layers = Array.from({ length: count }, (_, index) => [
    `/live/${String(index + 1).padStart(3, "0")}.squashfs`,
    layer,
  ]);
  const file = await filesImage(
    "vfat",
    { "/live/000.squashfs": root, ...Object.fromEntries(layers) },
    { label: "LAYERS" },
  );
  return initMs({
    name: `layers-${count}`,
    image,
    disks: [{ file }],
    cmdline: `boot=live nopersistence ${sceneWords("minimal", "live")}`,
  });
}
