import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, join, posix, resolve } from "node:path";
import { MAX_CRYPTTAB_BYTES } from "../../boot/plan-reader.ts";
import { BootError } from "../../problems/errors.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Content, contentOfFile, contentOfMadeUpFile } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../host.ts";
import { refuseReserved } from "./reserved.ts";

/** --add SRC:DST: a path on this host, and an absolute, normal path in the image. */
export type Addition = Readonly<{ source: string; destination: string }>;

/**
 * Parses "SRC:DST", or "SRC" for the same absolute path in the image; a DST that ends with "/" is a directory for it. SRC may
 * be relative to `directory` and contain colons, DST must be absolute and not reserved. Throws BootError.
 */
export function parseAddition(text: string, directory: string): Addition {
  const colon = text.lastIndexOf(":");
  const given = colon < 0 ? text : text.slice(0, colon);
  if (given === "" || text.includes("\0")) throw wrongAddition(text);
  const source = resolve(directory, given);
  const wanted = colon < 0 ? source : text.slice(colon + 1);
  if (!wanted.startsWith("/") || wanted.split("/").includes("..")) throw wrongAddition(text);
  const destination = posix.normalize(wanted.endsWith("/") ? `${wanted}${basename(source)}` : wanted);
  refuseReserved(source, destination);
  return { source, destination };
}

/** The largest page size of the supported architectures. */
const MOST_MADE_UP_BYTES = 65536;

// What node:fs returns for bytes that are not UTF-8: the real name is lost.
const REPLACEMENT = "\u{fffd}";

function wrongAddition(text: string): BootError {
  return new BootError(`expected SRC:DST with an absolute DST but received "${text}"`, {
    hint: "for example --add ./hooks:/etc/hooks",
  });
}

/**
 * Adds a file, symlink, device node, FIFO or directory with its contents: modes, symlinks and hard links are kept, everything
 * belongs to root. Throws BootError if something cannot be read; sockets are left out with a warning.
 */
export function addFromHost(tree: ImageTree, { source, destination }: Addition, voice: Voice): void {
  // By inode: names that share a Content are hard links in the image.
  const linked = new Map<string, Content>();
  const visit = (from: string, to: string) => {
    // For everything in a directory, too: an addition to "/" may contain an init.
    refuseReserved(from, to);
    const status = attempt(`cannot add ${from} to the image`, () => lstatSync(from), "check the path given to --add");
    if (status.isFile()) addFile(tree, from, to, status, linked);
    else if (status.isSocket()) voice.warn(`${from} is left out: an image cannot contain a socket`);
    else addSpecial(tree, from, to, status);
    if (status.isDirectory()) for (const name of listNames(from)) visit(join(from, name), posix.join(to, name));
  };
  visit(source, destination);
}

function addFile(tree: ImageTree, from: string, to: string, status: Stats, linked: Map<string, Content>): void {
  attempt(`cannot add ${from} to the image`, () => accessSync(from, constants.R_OK), "run the command as root");
  const inode = `${status.dev}:${status.ino}`;
  const content = linked.get(inode) ?? contentOf(from, status);
  if (status.nlink > 1) linked.set(inode, content);
  putEntry(tree, { kind: "file", path: to, mode: status.mode & 0o7777, content });
}

/** Files below /proc claim to be empty, those below /sys to be a page long; neither has blocks on a disk. */
function contentOf(path: string, { size, blocks }: Stats): Content {
  const isMadeUp = blocks === 0 && size <= MOST_MADE_UP_BYTES;
  return isMadeUp ? contentOfMadeUpFile(path) : contentOfFile(path, size);
}

function addSpecial(tree: ImageTree, from: string, to: string, status: Stats): void {
  const mode = status.mode & 0o7777;
  if (status.isDirectory()) {
    // The kernel creates "/".
    if (to !== "/") putEntry(tree, { kind: "directory", path: to, mode });
  } else if (status.isSymbolicLink()) {
    const target = attempt(`cannot add ${from} to the image`, () => readlinkSync(from));
    if (target.includes(REPLACEMENT))
      throw new BootError(`cannot add ${from} to the image: its target is not valid UTF-8`);
    putEntry(tree, { kind: "symlink", path: to, target });
  } else if (status.isFIFO()) {
    putEntry(tree, { kind: "fifo", path: to, mode });
  } else if (status.isBlockDevice() || status.isCharacterDevice()) {
    const kind = status.isBlockDevice() ? "block" : "character";
    putEntry(tree, { kind, path: to, mode, ...splitDevice(status.rdev) });
  }
}

/** Splits st_rdev as gnu_dev_major() and gnu_dev_minor() do; majors of the kernel have 12 bits. */
function splitDevice(device: number): { major: number; minor: number } {
  const bits = BigInt(device);
  return { major: Number((bits >> 8n) & 0xfffn), minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)) };
}

function listNames(directory: string): readonly string[] {
  const names = attempt(`cannot add the directory ${directory} to the image`, () => readdirSync(directory));
  const strange = names.find((name) => name.includes(REPLACEMENT));
  if (strange !== undefined) {
    throw new BootError(`cannot add ${directory} to the image: a name in it is not valid UTF-8: ${strange}`);
  }
  return names.sort();
}

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
