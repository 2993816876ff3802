import { accessSync, constants, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { basename, join, posix, resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Content, contentOfFile, contentOfMadeUpFile } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../attempt.ts";
import { refuseReserved } from "./reserved.ts";

/** --add SRC:DST: what of this host comes into the image, and where. */
export interface Addition {
  /** A path on this host. */
  readonly source: string;
  /** An absolute, normal path in the image. */
  readonly destination: string;
}

/**
 * Reads "SRC:DST", or "SRC" alone for the same absolute path in the image; a DST that ends in "/" is the directory to put
 * it into. SRC may be relative to `directory` and may hold colons, DST must be absolute, and no place of levain's own. Throws BootError.
 */
export function parseAddition(text: string, directory: string): Addition {
  const colon = text.lastIndexOf(":");
  const given = colon < 0 ? text : text.slice(0, colon);
  if (given === "" || text.includes("\0")) throw wrongAddition(text);
  const source = resolve(directory, given);
  if (colon < 0) return checked({ source, destination: source });
  const wanted = text.slice(colon + 1);
  if (!wanted.startsWith("/") || wanted.split("/").includes("..")) throw wrongAddition(text);
  const path = posix.normalize(wanted.endsWith("/") ? `${wanted}${basename(source)}` : wanted);
  return checked({ source, destination: path });
}

function checked(addition: Addition): Addition {
  refuseReserved(addition.source, addition.destination);
  return addition;
}

/** The largest page of an architecture that we run on. */
const MOST_MADE_UP_BYTES = 65536;

// What node:fs gives for bytes that are not UTF-8; the true name is lost then.
const REPLACEMENT = "\u{fffd}";

function wrongAddition(text: string): BootError {
  return new BootError(`Expected SRC:DST with an absolute DST to add but received "${text}"`, {
    hint: "for example --add ./hooks:/etc/hooks",
  });
}

/**
 * Puts a file, symlink, device node, fifo or a whole directory into the tree: modes, symlinks and hard links are kept,
 * everything belongs to root. Throws BootError where something cannot be read; sockets are left out with a warning.
 */
export function addFromHost(tree: ImageTree, { source, destination }: Addition, voice: Voice): void {
  // By inode: the names of one file get one Content, which makes them hard links in the image.
  const linked = new Map<string, Content>();
  const visit = (from: string, to: string) => {
    // Also what is in a directory: an addition to "/" may hold an init.
    refuseReserved(from, to);
    const status = attempt(`cannot add ${from} to the image`, () => lstatSync(from), "check the path given to --add");
    if (status.isFile()) addFile(tree, from, to, status, linked);
    else if (status.isSocket()) voice.warn(`${from} is a socket, which an image cannot hold: left out`);
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

/** Files below /proc say that they are empty, those below /sys that they are a page; neither takes a block of a disk. */
function contentOf(path: string, { size, blocks }: Stats): Content {
  const isMadeUp = blocks === 0 && size <= MOST_MADE_UP_BYTES;
  return isMadeUp ? contentOfMadeUpFile(path) : contentOfFile(path, size);
}

function addSpecial(tree: ImageTree, from: string, to: string, status: Stats): void {
  const mode = status.mode & 0o7777;
  if (status.isDirectory()) {
    // The image's own "/" is made by the kernel.
    if (to !== "/") putEntry(tree, { kind: "directory", path: to, mode });
  } else if (status.isSymbolicLink()) {
    const target = attempt(`cannot add ${from} to the image`, () => readlinkSync(from));
    if (target.includes(REPLACEMENT)) throw new BootError(`cannot add ${from} to the image: its target is not UTF-8`);
    putEntry(tree, { kind: "symlink", path: to, target });
  } else if (status.isFIFO()) {
    putEntry(tree, { kind: "fifo", path: to, mode });
  } else if (status.isBlockDevice() || status.isCharacterDevice()) {
    const kind = status.isBlockDevice() ? "block" : "character";
    putEntry(tree, { kind, path: to, mode, ...splitDevice(status.rdev) });
  }
}

/** The numbers in a st_rdev, as gnu_dev_major() and gnu_dev_minor() take them out; the kernel's majors have 12 bits. */
function splitDevice(device: number): { major: number; minor: number } {
  const bits = BigInt(device);
  return { major: Number((bits >> 8n) & 0xfffn), minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)) };
}

function listNames(directory: string): readonly string[] {
  const names = attempt(`cannot add the directory ${directory} to the image`, () => readdirSync(directory));
  const strange = names.find((name) => name.includes(REPLACEMENT));
  if (strange !== undefined) {
    throw new BootError(`cannot add ${directory} to the image: it has a name that is not UTF-8, like ${strange}`);
  }
  return names.sort();
}
