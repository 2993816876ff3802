import { wipe } from "../../crypto/secret.ts";
import type { Context } from "../../drivers/context.ts";
import { listConsoles } from "../../log/consoles.ts";
import type { Machine, RandomReader } from "../../machine/machine.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import { createProgress } from "./progress.ts";
import type { StreamCheck } from "./stream-check.ts";

const CHUNK_BYTES = 4 << 20;
const LEAST_BYTES = 4096;
const ESC = 0x1b;

/** What is read and checked. */
export interface CheckedFile {
  /** A file or block device, from the initramfs. */
  readonly source: string;
  /** As the user knows it. */
  readonly name: string;
  /** How much of it counts; null: everything. */
  readonly bytes: number | null;
}

/** Gives a part of the file to all checks. */
export function updateChecks(checks: readonly StreamCheck[], part: Uint8Array): void {
  for (const check of checks) check.update(part);
}

/** Throws BootError if a check has not matched. */
export function requireMatch(name: string, checks: readonly StreamCheck[]): void {
  for (const check of checks) {
    const mismatch = check.finish();
    if (mismatch !== null) throw problem("file-damaged", { name, what: check.what, offset: mismatch.offset });
  }
}

/** Reads a file and checks it; false if the user has skipped that by Esc. Throws BootError for damage and for what cannot be read. */
export function readChecked(
  context: Pick<Context, "machine" | "voice">,
  file: CheckedFile,
  checks: readonly StreamCheck[],
  skip: SkipKey | null,
): boolean {
  const { machine, voice } = context;
  const { source, name } = file;
  const reader = orProblem("image-unreadable", { path: name }, () => machine.openReader(source, true));
  try {
    const total = Math.min(file.bytes ?? reader.size, reader.size);
    const showProgress = createProgress({ machine, voice }, `checking ${name}`, total);
    for (let at = 0; at < total; at += CHUNK_BYTES) {
      if (skip?.isPressed() === true) return false;
      const part = readPart(reader, name, at, Math.min(CHUNK_BYTES, total - at));
      updateChecks(checks, part);
      showProgress(at + part.length);
    }
  } finally {
    reader.close();
  }
  requireMatch(name, checks);
  return true;
}

function readPart(reader: RandomReader, name: string, at: number, length: number): Uint8Array {
  return unlessRefused(
    () => reader.read(at, length),
    (cause) => {
      throw problem("medium-damaged", { name, offset: findRefused(reader, at, length) }, { cause });
    },
  );
}

/** Returns where the part begins that cannot be read: it is halved until it is small. */
function findRefused(reader: RandomReader, at: number, length: number): number {
  if (length <= LEAST_BYTES) return at;
  const half = Math.ceil(length / 2 / LEAST_BYTES) * LEAST_BYTES;
  const isReadable = unlessRefused(
    () => reader.read(at, half).length === half,
    () => false,
  );
  return isReadable ? findRefused(reader, at + half, length - half) : findRefused(reader, at, half);
}

/** The key that skips a check. */
export interface SkipKey {
  /** True from the moment on when Esc was pressed. */
  isPressed(): boolean;
  /** Gives the terminals back. */
  end(): void;
}

/** Watches the consoles for Esc; null if there is none. What is typed is wiped, and not shown. */
export function watchSkipKey(machine: Machine): SkipKey | null {
  if (machine.openTerminals(listConsoles(machine)).length === 0) return null;
  let isPressed = false;
  return {
    isPressed() {
      for (;;) {
        const input = machine.readTerminals(0, "typing");
        if (input.kind !== "typed") return isPressed;
        // Keys such as the arrows send Esc with more behind it.
        isPressed ||= input.bytes.length === 1 && input.bytes[0] === ESC;
        wipe(input.bytes);
      }
    },
    end: () => machine.closeTerminals(),
  };
}
