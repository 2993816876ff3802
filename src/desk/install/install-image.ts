import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { BootError, isErrno } from "../../problems/errors.ts";
import { attempt, isDirectory, isFile } from "../host.ts";
import { haveTool } from "../tool.ts";
import type { Change } from "./changes.ts";
import type { ImagePlace } from "./distribution.ts";
import { digestFile } from "./hook-files.ts";
import { buildFor, CONFIG, findKernel, type ImageJob } from "./kernel-images.ts";
import { type InstallRecord, writeRecord } from "./record.ts";
import { replaceFile } from "./replace-file.ts";

type ImageRecord = InstallRecord["images"][string];

/** Added to the name of the image that was there before. */
const KEPT_SUFFIX = ".before-levain";

/** Returns what `installImage` will do. */
export function planImage({ root, distribution }: ImageJob, version: string, record: InstallRecord): readonly Change[] {
  const place = distribution.placeOf(version);
  if (place === null) return [leaveImage(root, version)];
  const path = join(root, place.path);
  const keeps = record.images[version] === undefined && isFile(path);
  return [
    { path, does: `the image of kernel ${version}`, kernel: version },
    ...(keeps ? [keptImage(path, version)] : []),
  ];
}

const leaveImage = (root: string, kernel: string): Change => ({
  path: join(root, "/lib/modules", kernel),
  does: `kernel-install builds its image (kernel-install add ${kernel} KERNEL)`,
  kernel,
});

const keptImage = (image: string, kernel: string): Change => ({
  path: `${image}${KEPT_SUFFIX}`,
  does: "the image from before",
  kernel,
});

/** Builds the image of a kernel where its boot loader expects it, and keeps the one that was there before levain. Throws BootError: the old image is then still there. */
export async function installImage(job: ImageJob, version: string, record: InstallRecord): Promise<readonly Change[]> {
  const { root, distribution } = job;
  const place = distribution.placeOf(version);
  if (place === null) return [leaveImage(root, version)];
  const image = join(root, place.path);
  const known = record.images[version];
  const isNew = known === undefined;
  try {
    removeLeftovers(image);
    const kept = isNew ? keepImage(root, version, place) : known.kept;
    // If this is interrupted, the image at its place may be the new one, and must not be kept as the one from before.
    note(root, record, version, { path: place.path, sha256: null, kept });
    const change = await buildBoth(job, version, place);
    note(root, record, version, { path: place.path, sha256: digestFile(image), kept });
    tellBootLoader(root, version, image);
    return [change, ...(isNew && kept !== null ? [keptImage(image, version)] : [])];
  } catch (error) {
    const after = record.images[version];
    if (after?.sha256 === null) note(root, record, version, known);
    if (isNew && after?.sha256 === null && after.kept !== null) fs.rmSync(join(root, after.kept.path), { force: true });
    throw explain(error, version, image, after?.sha256 ?? null);
  }
}

function explain(error: unknown, version: string, image: string, built: string | null): unknown {
  if (!(error instanceof BootError) || built !== null) return error;
  const state = isFile(image) ? `${image} is still the one from before` : "the kernel cannot boot without one";
  const { message, cause, seen } = error;
  const hints = listHints(error, version).map((text) => ({ text, needs: null }));
  return new BootError(`kernel ${version} has no new image: ${state}`, {
    cause: new BootError(message, { cause, seen, hints }),
  });
}

/** A hook has no options, so what hints for `levain image` name is to be found in another way. */
function listHints({ cause, hints }: BootError, version: string): readonly string[] {
  const again = `then run levain install --kernel ${version}`;
  if (isErrno(cause, "ENOSPC")) return [`make room there, ${again}`];
  if (isErrno(cause, "EROFS")) return [`make the filesystem writable, ${again}`];
  const texts = hints.map(({ text }) => text);
  return texts.some((text) => text.includes("--")) ? [...texts, KEYS] : texts;
}

const KEYS = `each option is a key of ${CONFIG}: busybox = "none" is --busybox none`;

function note(root: string, record: InstallRecord, version: string, image: ImageRecord | undefined): void {
  if (image === undefined) delete record.images[version];
  else record.images[version] = image;
  writeRecord(root, record);
}

/** A power cut leaves the beginning of an image beside its place. */
function removeLeftovers(image: string): void {
  const directory = dirname(image);
  if (!isDirectory(directory)) return;
  attempt(`cannot remove what is left of an image in ${directory}`, () => {
    const names = fs.readdirSync(directory).filter((name) => name.startsWith(`.${basename(image)}.`));
    for (const name of names) if (/\.\d+$/.test(name)) fs.rmSync(join(directory, name));
  });
}

/** The image and the copy of its kernel are complete before one of them takes its place. */
async function buildBoth(job: ImageJob, version: string, { path, kernelCopy }: ImagePlace): Promise<Change> {
  const build = () => {
    const words = path.endsWith(".efi") ? { uki: [], ...readCommandLine(job.root), ...job.words } : job.words;
    return buildFor({ ...job, words }, version, join(job.root, path));
  };
  const kernel = findKernel(job.root, version);
  const target = kernelCopy === null ? null : join(job.root, kernelCopy);
  // Its own place: a kernel of this version that is there already is the one that was found.
  if (target === null || kernel === null || kernel === target) return build();
  const beside = `${target}.of-new-image`;
  try {
    replaceFile(beside, (copy) => fs.copyFileSync(kernel, copy), ROOM);
    const change = await build();
    attempt(`cannot write ${target}`, () => fs.renameSync(beside, target), ROOM);
    return change;
  } finally {
    fs.rmSync(beside, { force: true });
  }
}

/** The command line that mkinitcpio(8) gives a unified kernel image; without these files, that of levain.toml counts. */
function readCommandLine(root: string): { readonly cmdline?: readonly string[] } {
  const own = ["etc/kernel/cmdline", "usr/lib/kernel/cmdline"].map((path) => join(root, path)).find(isFile);
  const directory = join(root, "etc/cmdline.d");
  const names = isDirectory(directory) ? fs.readdirSync(directory).filter((name) => name.endsWith(".conf")) : [];
  const files = [...(own === undefined ? [] : [own]), ...names.sort().map((name) => join(directory, name))];
  const lines = files.flatMap((path) =>
    attempt(`cannot read ${path}`, () => fs.readFileSync(path, "utf8")).split("\n"),
  );
  const text = lines.filter((line) => !/^#|^\s*$/.test(line)).join(" ");
  return text === "" ? {} : { cmdline: [text] };
}

const ROOM = "make room on the boot partition, or run the command as root";

/** A second name for the old image takes no room; a boot partition may be FAT, which has none. */
function keepImage(root: string, version: string, { path }: ImagePlace): ImageRecord["kept"] {
  const image = join(root, path);
  if (!isFile(image)) return null;
  const kept = `${path}${KEPT_SUFFIX}`;
  replaceFile(
    join(root, kept),
    (target) => {
      try {
        fs.linkSync(image, target);
      } catch {
        fs.copyFileSync(image, target);
      }
    },
    ROOM,
  );
  const kernel = findKernel(root, version);
  return { path: kept, kernel: kernel === null ? null : digestFile(kernel) };
}

/** Boot loaders that have a copy of the image, or its place on the disk, leave their hooks there (Debian's policy for kernel packages). */
const POST_UPDATE = "/etc/initramfs/post-update.d";

/** Runs those hooks for an image at its place. Throws BootError. */
export function tellBootLoader(root: string, version: string, image: string): void {
  const program = haveTool("run-parts");
  if (root !== "/" || program === null || !isDirectory(POST_UPDATE)) return;
  const argv = [program, `--arg=${version}`, `--arg=${image}`, POST_UPDATE];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore", stdout: 2, stderr: "pipe" });
  if (exitCode === 0) return;
  throw new BootError(`the image is complete, but a hook of the boot loader failed: ${POST_UPDATE}`, {
    seen: stderr.toString().trim().split("\n").slice(-5),
  });
}
