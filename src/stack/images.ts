import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { LIVE_IMAGES } from "../plan/media.ts";
import type { ImagePlan } from "../plan/plan.ts";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { matchFiles } from "../storage/device-content.ts";

const MOST_NAMES = 12;
/** A list is read at once; the medium must not decide how much memory that takes. */
const MOST_LIST_BYTES = 64 * 1024;

/** Returns the image files and directories that make the root, as paths below `base`, the lowest layer first. Throws a BootError that lists what the medium has instead. */
export function findImages(machine: Machine, base: string, image: ImagePlan, voice: Voice): readonly string[] {
  const { paths, stacked, directory } = image;
  if (stacked.length > 0) {
    const missing = stacked.filter((path) => findFileIn(machine, base, path) === null);
    if (missing.length > 0) throw problem("layers-missing", { missing }, { seen: listAround(machine, base, missing) });
    return stacked;
  }
  if (directory === null) {
    const found = paths.find((path) => findFileIn(machine, base, path) !== null);
    return found === undefined ? fail(machine, base, paths) : [found];
  }
  const listAll = () => LIVE_IMAGES.flatMap((name) => matchFiles(machine, base, `${directory.path}/${name}`)).sort();
  const listed = readList(machine, base, directory, voice) ?? listAll();
  if (directory.list === null) warnOfParents(listed, voice);
  return listed.length > 0 ? listed : fail(machine, base, [`${directory.path}/${LIVE_IMAGES[0]}`]);
}

/** Returns the path from the initramfs to the image or ISO file `path` on the medium. Throws a BootError that lists what the medium has instead. */
export function findImage(machine: Machine, base: string, path: string): string {
  return findFileIn(machine, base, path) ?? fail(machine, base, [path]);
}

/** Reads live-boot's NAME.module: names of images beside it, separated by white space. Returns null if the medium has no list. */
function readList(
  machine: Machine,
  base: string,
  { path, list: name }: NonNullable<ImagePlan["directory"]>,
  voice: Voice,
): readonly string[] | null {
  if (name === null) return null;
  const candidates = [`filesystem.${name}.module`, `${name}.module`];
  const file = candidates.find((candidate) => findFileIn(machine, base, `${path}/${candidate}`) !== null);
  if (file === undefined) return null;
  const list = findImage(machine, base, `${path}/${file}`);
  const bytes = machine.stat(list)?.size ?? 0;
  if (bytes > MOST_LIST_BYTES) throw problem("image-list-too-long", { path: file, bytes });
  const names = readText(machine, list).match(/\S+/g) ?? [];
  return names.flatMap((name) => {
    const find = name.endsWith(".dir") ? findDirectoryIn : findFileIn;
    const inside = !name.split("/").includes("..") && find(machine, base, `${path}/${name}`) !== null;
    if (!inside) voice.warn(`${printable(file)} names ${printable(name)}, which is not beside it, ignoring`);
    return inside ? [`${path}/${name}`] : [];
  });
}

/** Warns of images whose names say that only some of them belong together, as those of Ubuntu since 22.04 do. */
function warnOfParents(paths: readonly string[], voice: Voice): void {
  const isLayered = paths.some(
    (path) => paths.includes(path.replace(/\.[^./]+(?=\.[^./]+$)/, "")) && /\..*\./.test(path),
  );
  if (!isLayered) return;
  voice.warn(
    "the images are layers of several systems, and all of them are stacked: layerfs-path= names the top one of a system",
  );
}

function fail(machine: Machine, base: string, paths: readonly string[]): never {
  throw problem("image-missing", { paths }, { seen: listNames(machine, base) });
}

/** Returns the names in the directory of the first path, or at the top of the medium if there is no such directory. */
function listAround(machine: Machine, base: string, [path = ""]: readonly string[]): readonly string[] {
  return listNames(machine, findDirectoryIn(machine, base, path.slice(0, path.lastIndexOf("/"))) ?? base);
}

function listNames(machine: Machine, directory: string): readonly string[] {
  const names = machine.listDirectory(directory).slice(0, MOST_NAMES).map(printable);
  return names.length > 0 ? names : ["an empty directory"];
}
