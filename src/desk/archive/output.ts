import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import { cleanOnSignals } from "../temporary.ts";

const STANDARD_OUTPUT = 1;
const HINT = "choose another file with --output FILE";
/** An image may contain keys, so only its owner can read it. */
const MODE = 0o600;

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Writes `chunks` to the file `path`, completely or not at all: into a new file beside it, which is renamed at the end. Returns
 * the number of bytes. Throws BootError; on any error, also in `chunks`, no file is left.
 */
export async function writeWhole(path: string, chunks: Chunks): Promise<number> {
  const { target, temporary, file } = openTemporary(path);
  const forget = cleanOnSignals(() => fs.rmSync(temporary, { force: true }));
  try {
    let size = 0;
    try {
      for await (const chunk of chunks) size += attemptWrite(path, () => writeAll(file, chunk));
      attemptWrite(path, () => fs.fsyncSync(file));
    } finally {
      fs.closeSync(file);
    }
    attemptWrite(path, () => fs.renameSync(temporary, target));
    return size;
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  } finally {
    forget();
  }
}

/** Writes `chunks` to standard output. Returns the number of bytes. Throws BootError. */
export async function writeToStandardOutput(chunks: Chunks): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    size += attempt("cannot write the image to standard output", () => writeAll(STANDARD_OUTPUT, chunk));
  }
  return size;
}

/** Throws BootError if standard output is a terminal. */
export function checkStandardOutput(): void {
  if (!isatty(STANDARD_OUTPUT)) return;
  throw new BootError("not writing an image to a terminal", { hint: "use --output - with a pipe or a redirection" });
}

/** Throws BootError before any work if `path` cannot be written. Returns the attributes of such a file: not every filesystem keeps its mode. */
export function checkWritable(path: string): fs.Stats {
  const { temporary, file } = openTemporary(path);
  try {
    return fs.fstatSync(file);
  } finally {
    fs.closeSync(file);
    fs.rmSync(temporary, { force: true });
  }
}

function openTemporary(path: string) {
  const target = resolveTarget(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  return { target, temporary, file: attemptWrite(path, () => fs.openSync(temporary, "wx", MODE)) };
}

/** Follows a symbolic link, so that the file is replaced and not the link. Throws BootError for anything but a file. */
export function resolveTarget(path: string): string {
  const there = attemptWrite(path, () => fs.lstatSync(path, { throwIfNoEntry: false }));
  if (!there) return path;
  const target = attemptWrite(path, () => fs.realpathSync(path));
  if (!attemptWrite(path, () => fs.statSync(target)).isFile()) {
    throw new BootError(`cannot write the image to ${path}: it exists and is not a file`, { hint: HINT });
  }
  return target;
}

function writeAll(file: number, chunk: Uint8Array): number {
  let done = 0;
  while (done < chunk.length) done += fs.writeSync(file, chunk, done);
  return done;
}

function attemptWrite<T>(path: string, action: () => T): T {
  return attempt(`cannot write ${path}`, action, HINT);
}
