import { findFileIn } from "../../filesystems/resolve.ts";
import { MOST_SUMS_BYTES, parseSums } from "../../formats/checks/sums-file.ts";
import type { Machine } from "../../machine/machine.ts";
import type { SumDigest } from "../../parameters/checks.ts";
import { problem } from "../../problems/problem.ts";
import type { CheckedMedium } from "./checked-medium.ts";
import { digestCheck, type StreamCheck } from "./stream-check.ts";

/** What a checksum file says. */
export interface Sums {
  /** The path of the list below the tree of the medium. */
  readonly list: string;
  /** The files, as paths below that tree. */
  readonly paths: readonly string[];
  /** Returns a new check of a file; none if it is not in the list. */
  of(path: string): readonly StreamCheck[];
}

const DIGITS: Readonly<Record<SumDigest, number>> = {
  sha512: 128,
  sha384: 96,
  sha256: 64,
  sha224: 56,
  sha1: 40,
  md5: 32,
};

/** Reads the first checksum file that is there: live-boot's and casper's at the top of the medium, archiso's beside the image. Throws BootError if there is none. */
export function findSums(
  machine: Machine,
  digests: readonly SumDigest[],
  { base, images, isArchiso }: Pick<CheckedMedium, "base" | "images" | "isArchiso">,
): Sums {
  const [image = ""] = images;
  const beside = image.slice(0, image.lastIndexOf("/"));
  const candidates = digests.flatMap((digest) => {
    const own = isArchiso ? [`${beside}/airootfs.${digest}`] : [];
    return [...own, `/${digest.toUpperCase()}SUMS`, `/${digest}sum.txt`].map((list) => ({ digest, list }));
  });
  const found = candidates.find(({ list }) => findFileIn(machine, base, list) !== null);
  if (found === undefined) throw problem("no-sums", { names: candidates.map(({ list }) => list) });
  const { digest, list } = found;
  const file = findFileIn(machine, base, list) ?? list;
  const bytes = machine.stat(file)?.size ?? 0;
  if (bytes > MOST_SUMS_BYTES) throw problem("image-list-too-long", { path: list, bytes });
  const directory = list.slice(0, list.lastIndexOf("/"));
  const lines = parseSums(machine.readFile(file), DIGITS[digest]);
  if (lines.length === 0) throw problem("no-sums", { names: [list] });
  const sums = new Map(lines.map(({ hex, path }) => [`${directory}/${path}`, hex]));
  return {
    list,
    paths: [...sums.keys()],
    of(path) {
      const hex = sums.get(path);
      return hex === undefined ? [] : [digestCheck(digest, hex, `its ${digest} in ${list}`, true)];
    },
  };
}
