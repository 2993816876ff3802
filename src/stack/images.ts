import { findDirectoryIn, findFileIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import { readText } from "../machine/small-files.ts";
import { LIVE_DIRECTORIES, LIVE_IMAGE_TYPES } from "../plan/media.ts";
import type { ImagePlan } from "../plan/plan.ts";
import { BootError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { matchFiles } from "../storage/device-content.ts";

const MOST_NAMES = 12;
/** A list is read as a whole; whoever wrote the medium must not decide how much memory that takes. */
const MOST_LIST_BYTES = 64 * 1024;

/** The image files, and directories, that make the root, as paths below `base`, the lowest layer first. Throws a BootError that says what is there instead. */
export function findImages(machine: Machine, base: string, image: ImagePlan, voice: Voice): readonly string[] {
  const { paths, directory } = image;
  if (directory === null) {
    const found = paths.find((path) => findFileIn(machine, base, path) !== null);
    return found === undefined ? fail(machine, base, paths) : [found];
  }
  const listed = readList(machine, base, directory, voice) ?? listAll(machine, base, directory.path);
  for (const image of listed) {
    if (findFileIn(machine, base, `${image}.verity`) === null) continue;
    voice.warn(`dm-verity is not supported yet, ignoring ${printable(image)}.verity: the image is not verified`);
  }
  return listed.length > 0 ? listed : fail(machine, base, [`${directory.path}/*.${LIVE_IMAGE_TYPES[0]}`]);
}

/** The image or ISO file `path` on the medium, as seen from here. Throws a BootError that says what is there instead. */
export function findImage(machine: Machine, base: string, path: string): string {
  return findFileIn(machine, base, path) ?? fail(machine, base, [path]);
}

/** live-boot's NAME.module: names of images beside it, separated by white space; null where there is no list. */
function readList(
  machine: Machine,
  base: string,
  { path, list: name }: NonNullable<ImagePlan["directory"]>,
  voice: Voice,
): readonly string[] | null {
  const file = [`filesystem.${name}.module`, `${name}.module`].find(
    (candidate) => findFileIn(machine, base, `${path}/${candidate}`) !== null,
  );
  if (file === undefined) return null;
  const list = findImage(machine, base, `${path}/${file}`);
  const bytes = machine.stat(list)?.size ?? 0;
  if (bytes > MOST_LIST_BYTES) {
    throw new BootError(`${printable(file)} is no list of images: it has ${bytes} bytes`, {
      hint: "it should hold the names of images beside it: correct it, or live-media-path= and module=",
    });
  }
  const names = readText(machine, list)
    .split(/\s+/)
    .filter((name) => name !== "");
  return names.flatMap((name) => {
    const find = name.endsWith(LIVE_DIRECTORIES.slice(1, -1)) ? findDirectoryIn : findFileIn;
    const inside = !name.split("/").includes("..") && find(machine, base, `${path}/${name}`) !== null;
    if (!inside) voice.warn(`${printable(file)} names ${printable(name)}, which is no file beside it, ignoring`);
    return inside ? [`${path}/${name}`] : [];
  });
}

function listAll(machine: Machine, base: string, path: string): readonly string[] {
  const names = [...LIVE_IMAGE_TYPES.map((type) => `*.${type}`), LIVE_DIRECTORIES];
  return names.flatMap((name) => matchFiles(machine, base, `${path}/${name}`)).sort();
}

function fail(machine: Machine, base: string, paths: readonly string[]): never {
  const names = machine.listDirectory(base).slice(0, MOST_NAMES).map(printable);
  throw new BootError(`there is no image ${paths.map(printable).join(" or ")} on the medium`, {
    seen: names.length > 0 ? names : ["an empty filesystem"],
    hint: "correct rd.image= (a path on the root device), or rd.live.dir= and rd.live.squashimg=",
  });
}
