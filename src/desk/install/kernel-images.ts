import * as fs from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { formatBytes } from "../../problems/size.ts";
import type { Voice } from "../../problems/voice.ts";
import type { CommandWords } from "../command-line.ts";
import { readOptions } from "../commands/image.ts";
import { attempt, isDirectory, isFile } from "../host.ts";
import { buildImage } from "../image/image.ts";
import { haveTool } from "../tool.ts";
import type { Distribution, ImagePlace } from "./distribution.ts";
import { digestFile } from "./hook-files.ts";
import { type InstallRecord, writeRecord } from "./record.ts";
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
/** Added to the name of the image that was there before. */
export const KEPT_SUFFIX = ".before-levain";

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
  const places = [`boot/vmlinuz-${version}`, ...MODULE_ROOTS.map((modules) => `${modules}/${version}/vmlinuz`)];
  return places.map((place) => join(root, place)).find(isFile) ?? null;
}

/** Builds the image of a kernel for `output` alone, as kernel-install wants it. Returns a line about it. Throws BootError. */
export async function buildFor(job: ImageJob, version: string, output: string): Promise<string> {
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
    kernel: [version],
    "modules-dir": [modulesDir],
    output: [output],
    ...(isFile(config) && { config: [config] }),
    ...(init !== null && { init: [init] }),
    ...words,
  };
  const options = addCrypttab(root, readOptions(wordsOf(given), "/"));
  const startMs = performance.now();
  const { imageBytes } = await buildImage(options, voice);
  return `${output}  ${formatBytes(imageBytes)} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

function wordsOf(given: Readonly<Record<string, readonly string[]>>): CommandWords {
  const all = (name: string) => given[name] ?? [];
  return { all, one: (name) => all(name).at(-1) ?? null, has: (name) => name in given, words: [] };
}

/** Builds the image of a kernel where its boot loader expects it, and keeps the one that was there before levain. Returns lines for the user. Throws BootError: the old image is then still there. */
export async function installImage(job: ImageJob, version: string, record: InstallRecord): Promise<readonly string[]> {
  const { root, distribution } = job;
  const place = distribution.placeOf(version);
  if (place === null)
    return [`kernel ${version}: kernel-install builds its image (kernel-install add ${version} KERNEL)`];
  const image = join(root, place.path);
  const known = record.images[version];
  const kept = known === undefined ? keepImage(root, version, place) : known.kept;
  try {
    const line = await buildFor(
      place.path.endsWith(".efi") ? { ...job, words: { uki: [], ...job.words } } : job,
      version,
      image,
    );
    if (place.kernelCopy !== null) copyKernel(root, version, place.kernelCopy);
    record.images[version] = { path: place.path, sha256: digestFile(image), kept };
    writeRecord(root, record);
    const kepts = known === undefined && kept !== null ? [`${join(root, kept.path)}  the image from before`] : [];
    return [line, ...kepts, ...tellBootLoader(root, version, image)];
  } catch (error) {
    if (known === undefined && kept !== null) fs.rmSync(join(root, kept.path), { force: true });
    const state = isFile(image) ? `${image} is still the one from before` : "the kernel cannot boot without one";
    throw new BootError(`kernel ${version} has no new image: ${state}`, { cause: error });
  }
}

/** A second name for the old image takes no room; a boot partition may be FAT, which has none. */
function keepImage(root: string, version: string, { path }: ImagePlace) {
  const image = join(root, path);
  if (!isFile(image)) return null;
  const kept = `${path}${KEPT_SUFFIX}`;
  const target = join(root, kept);
  attempt(
    `cannot keep ${image} as ${target}`,
    () => {
      fs.rmSync(target, { force: true });
      try {
        fs.linkSync(image, target);
      } catch {
        fs.copyFileSync(image, target);
      }
    },
    "make room on the boot partition, or run the command as root",
  );
  const kernel = findKernel(root, version);
  return { path: kept, kernel: kernel === null ? null : digestFile(kernel) };
}

function copyKernel(root: string, version: string, to: string): void {
  const kernel = findKernel(root, version);
  const target = join(root, to);
  // Its own place: a kernel of this version that is there already is the one that was found.
  if (kernel === null || kernel === target) return;
  attempt(`cannot write ${target}`, () => {
    fs.copyFileSync(kernel, `${target}.levain-new`);
    fs.renameSync(`${target}.levain-new`, target);
  });
}

/** Boot loaders that have a copy of the image, or its place on the disk, leave their hooks there (Debian's policy for kernel packages). */
const POST_UPDATE = "/etc/initramfs/post-update.d";

function tellBootLoader(root: string, version: string, image: string): readonly string[] {
  const program = haveTool("run-parts");
  if (root !== "/" || program === null || !isDirectory(POST_UPDATE)) return [];
  const argv = [program, `--arg=${version}`, `--arg=${image}`, POST_UPDATE];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore", stdout: "inherit", stderr: "pipe" });
  if (exitCode === 0) return [];
  throw new BootError(`the image is complete, but a hook of the boot loader failed: ${POST_UPDATE}`, {
    seen: stderr.toString().trim().split("\n").slice(-5),
  });
}
