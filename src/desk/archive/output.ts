import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";

const STANDARD_OUTPUT = 1;
/** Keys may be in an image: nobody but its owner reads it. */
const MODE = 0o600;

/**
 * Writes `chunks` to the file `path` so that it is there whole or not at all: into a new file beside it, which takes its
 * place at the end. Returns the bytes written. Throws BootError; whatever goes wrong, also in `chunks`, nothing is left behind.
 */
export async function writeWhole(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const target = resolveTarget(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  const file = attemptWrite(path, () => openSync(temporary, "wx", MODE));
  const forget = removeOnSignals(temporary);
  try {
    let size = 0;
    try {
      for await (const chunk of chunks) size += attemptWrite(path, () => writeAll(file, chunk));
      attemptWrite(path, () => fsyncSync(file));
    } finally {
      closeSync(file);
    }
    attemptWrite(path, () => renameSync(temporary, target));
    return size;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    forget();
  }
}

/** Writes `chunks` to this program's standard output. Returns the bytes written. Throws BootError, also where that is a terminal. */
export async function writeToStandardOutput(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    size += attempt("cannot write the image to the standard output", () => writeAll(STANDARD_OUTPUT, chunk));
  }
  return size;
}

/** Throws BootError where the standard output is a terminal, which an image would only garble. */
export function checkStandardOutput(): void {
  if (!isatty(STANDARD_OUTPUT)) return;
  throw new BootError("not writing an image to a terminal", { hint: "--output - is for a pipe or a redirection" });
}

/**
 * Throws BootError where `path` surely cannot be written, so that this is told before the work and not after it. Returns what
 * the file will be like: not every filesystem keeps its mode.
 */
export function checkWritable(path: string): Stats {
  const target = resolveTarget(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  const file = attemptWrite(path, () => openSync(temporary, "wx", MODE));
  try {
    return fstatSync(file);
  } finally {
    closeSync(file);
    rmSync(temporary, { force: true });
  }
}

/** The file behind a symlink is replaced, not the link; something that is no file is left alone. */
function resolveTarget(path: string): string {
  const there = attemptWrite(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (!there) return path;
  const target = attemptWrite(path, () => realpathSync(path));
  if (!attemptWrite(path, () => statSync(target)).isFile()) {
    throw new BootError(`cannot write the image to ${path}: it is there and not a file`, {
      hint: "choose another place with --output FILE",
    });
  }
  return target;
}

function writeAll(file: number, chunk: Uint8Array): number {
  let done = 0;
  while (done < chunk.length) done += writeSync(file, chunk, done);
  return done;
}

function removeOnSignals(temporary: string): () => void {
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal, index) => {
    const handler = () => {
      rmSync(temporary, { force: true });
      process.exit(128 + ([2, 15, 1][index] ?? 0));
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

function attemptWrite<T>(path: string, action: () => T): T {
  return attempt(`cannot write ${path}`, action, "choose another place with --output FILE");
}
