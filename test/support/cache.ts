import { dlopen, FFIType } from "bun:ffi";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

// flock(2): the kernel lets go of the lock when its holder dies, however it dies, so no lock is ever stale.
const libc = dlopen("libc.so.6", { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } });
const LOCK_EX_NB = 2 | 4;
const LOCK_POLL_MS = 50;

/** Gives a lock back; calling it twice is no error. */
export type Release = () => void;

/** A directory below the cache (`$LEVAIN_CACHE`, `$XDG_CACHE_HOME/levain` or `~/.cache/levain`), made where it is missing. */
export function cacheDirectory(...names: readonly string[]): string {
  const root =
    process.env["LEVAIN_CACHE"] || join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "levain");
  const path = join(root, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Takes the lock `path` if nobody on this host has it, in this process or another; null where somebody has. */
export function tryLock(path: string): Release | null {
  const descriptor = openSync(path, "a", 0o644);
  if (libc.symbols.flock(descriptor, LOCK_EX_NB) !== 0) {
    closeSync(descriptor);
    return null;
  }
  let held = true;
  return () => {
    if (held) closeSync(descriptor);
    held = false;
  };
}

/** Waits until one of the locks `paths` is ours. */
export async function takeLock(...paths: readonly string[]): Promise<Release> {
  for (;;) {
    for (const path of paths) {
      const release = tryLock(path);
      if (release !== null) return release;
    }
    await Bun.sleep(LOCK_POLL_MS);
  }
}

/**
 * The directory `<cache>/<kind>/<key>`, made once by `make` (told an empty directory to fill) and shared by all processes.
 * `key` must change when the recipe does. What a make left half done is thrown away.
 */
export async function cached(kind: string, key: string, make: (directory: string) => Promise<void>): Promise<string> {
  const directory = cacheDirectory(kind);
  const target = join(directory, key);
  if (existsSync(target)) return target;
  const partial = `${target}.partial`;
  const release = await takeLock(join(cacheDirectory("locks"), `${kind}-${key}`));
  try {
    if (existsSync(target)) return target;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    await make(partial);
    renameSync(partial, target);
    return target;
  } finally {
    rmSync(partial, { recursive: true, force: true });
    release();
  }
}

/** A hexadecimal key for a recipe: the same for equal values, 16 digits. */
export function recipeKey(...parts: readonly unknown[]): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

let scratchCount = 0;

/** A new empty directory that lives as long as this test file or, outside of tests, this process. */
export function scratchDirectory(): string {
  const directory = cacheDirectory("scratch");
  if (scratchCount === 0) {
    removeDeadScratch(directory);
    process.on("exit", removeScratch);
  }
  scratchCount += 1;
  const path = join(directory, `${process.pid}`, `${scratchCount}-${Bun.randomUUIDv7().slice(-8)}`);
  mkdirSync(path, { recursive: true });
  return path;
}

export function removeScratch(): void {
  rmSync(join(cacheDirectory("scratch"), `${process.pid}`), { recursive: true, force: true });
}

function removeDeadScratch(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!existsSync(`/proc/${name}`)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
