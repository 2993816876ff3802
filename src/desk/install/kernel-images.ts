import * as fs from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import type { CommandWords } from "../command-line.ts";
import { readOptions } from "../commands/image.ts";
import { attempt, isDirectory, isFile } from "../host.ts";
import { buildImage } from "../image/image.ts";
import { kernelPlaces } from "../kernels/kernel-file.ts";
import type { Change } from "./changes.ts";
import type { Distribution } from "./distribution.ts";
import { addCrypttab } from "./root-crypttab.ts";

/** What the images of a system are built with. */
export interface ImageJob {
  /** Of the system: "/", or a directory. */
  readonly root: string;
  readonly distribution: Distribution;
  /** The levain that becomes /init; null: this one. */
  readonly init: string | null;
  readonly voice: Voice;
  /** Options of `levain image` that a hook adds, by their names. */
  readonly words: Readonly<Record<string, readonly string[]>>;
}

/** Options for every image. */
export const CONFIG = "/etc/levain.toml";

/** Where kernels have their modules; with a merged /usr, both are one directory. */
const MODULE_ROOTS = ["lib/modules", "usr/lib/modules"];

/** Returns the versions of the kernels below `root` that have both modules and a kernel file, sorted. */
export function listKernels(root: string): readonly string[] {
  const versions = MODULE_ROOTS.flatMap((modules) => {
    const directory = join(root, modules);
    return isDirectory(directory) ? attempt(`cannot read ${directory}`, () => fs.readdirSync(directory)) : [];
  });
  return [...new Set(versions)]
    .filter((version) => findModules(root, version) !== null && findKernel(root, version) !== null)
    .sort();
}

/** Returns a kernel's directory of modules; null if it has none. */
function findModules(root: string, version: string): string | null {
  const places = MODULE_ROOTS.map((modules) => join(root, modules, version));
  return places.find((place) => isDirectory(join(place, "kernel"))) ?? null;
}

/** Returns the kernel file of a version; null if there is none. */
export function findKernel(root: string, version: string): string | null {
  return kernelPlaces(version, root).find(isFile) ?? null;
}

/** Builds the image of a kernel for `output` alone, as kernel-install wants it. Throws BootError. */
export async function buildFor(job: ImageJob, version: string, output: string): Promise<Change> {
  const { root, init, voice, words } = job;
  const modulesDir = findModules(root, version);
  if (modulesDir === null) {
    throw new BootError(`kernel ${version} has no modules`, {
      seen: MODULE_ROOTS.map((modules) => `${join(root, modules, version)}: no directory kernel`),
      hint: "install the kernel first; levain install --kernel all builds for every kernel that is installed",
    });
  }
  const config = join(root, CONFIG);
  const given: Readonly<Record<string, readonly string[]>> = {
    root: [root],
    kernel: [version],
    "modules-dir": [modulesDir],
    output: [output],
    ...(isFile(config) && { config: [config] }),
    ...(init !== null && { init: [init] }),
    ...words,
  };
  const options = readOptions(wordsOf(given), "/");
  if (root !== "/" && options.host?.file === null) {
    throw new BootError(`${config} says host = true, which is this machine and not the system in ${root}`, {
      hint: 'name the hints of its machine, host = "hints.json" (levain host > hints.json prints them), or build for any machine',
    });
  }
  const startMs = performance.now();
  const { imageBytes: bytes } = await buildImage(root === "/" ? addCrypttab(options, voice) : options, voice);
  const seconds = (performance.now() - startMs) / 1000;
  return { path: output, does: `${formatBytes(bytes)} in ${seconds.toFixed(1)} s`, kernel: version, bytes, seconds };
}

function wordsOf(given: Readonly<Record<string, readonly string[]>>): CommandWords {
  const all = (name: string) => given[name] ?? [];
  return { all, one: (name) => all(name).at(-1) ?? null, has: (name) => name in given, words: [] };
}
