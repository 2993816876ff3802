import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MAX_CRYPTTAB_BYTES } from "../../boot/plan-reader.ts";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import type { Addition } from "./addition.ts";

/** Returns what a plan needs to know of the additions to an image: the text of /etc/crypttab, and which files exist. Throws BootError for a crypttab that a boot could not read. */
export function lookAtAdditions(additions: readonly Addition[]) {
  const find = (path: string) => findSource(additions, path);
  const crypttab = find("/etc/crypttab");
  return {
    crypttab: crypttab === null ? null : readCrypttabFrom(crypttab),
    hasFile: (path: string) => find(path) !== null,
  };
}

/** Reads a crypttab on this host. Throws BootError. */
export function readCrypttabFrom(path: string): string {
  const bytes = attempt(`cannot read the crypttab ${path}`, () => readFileSync(path), "check the path");
  if (bytes.length > MAX_CRYPTTAB_BYTES) throw new BootError(`the crypttab ${path} is longer than 64 KiB`);
  return bytes.toString();
}

/** Returns the file of this host that becomes `path` in the image; the last addition counts. */
function findSource(additions: readonly Addition[], path: string): string | null {
  for (const { source, destination } of additions.toReversed()) {
    const front = destination === "/" ? "" : destination;
    if (path !== destination && !path.startsWith(`${front}/`)) continue;
    const candidate = join(source, path.slice(front.length));
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
  }
  return null;
}
