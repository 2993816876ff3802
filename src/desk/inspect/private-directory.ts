import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
} from "node:fs";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../attempt.ts";

/** An empty directory that no other user can enter, held open: what happens to its name afterwards changes nothing. */
export interface PrivateDirectory {
  /** A path to the directory itself, for names below it. */
  readonly path: string;
  close(): void;
}

/**
 * Makes `directory` with mode 0700, or takes the one that is there if it is private and empty. What another user could
 * reach or exchange is refused: images hold keys, and programs with bits that a stranger chose. Throws BootError.
 */
export function openPrivateDirectory(directory: string): PrivateDirectory {
  const name = directory.replace(/(?<=.)\/+$/, ""); // with it, the kernel would follow a symbolic link
  const isNew = makeNew(name);
  const descriptor = openIt(name);
  try {
    const path = `/proc/self/fd/${descriptor}`;
    if (attempt(`cannot extract to ${name}`, () => readdirSync(path)).length > 0) {
      throw refusal(name, "it is there already, and not empty", "name a new directory");
    }
    checkPrivate(name, fstatSync(descriptor));
    return { path, close: () => closeSync(descriptor) };
  } catch (error) {
    closeSync(descriptor);
    if (isNew) removeAgain(name);
    throw error;
  }
}

/** False where something is there already. */
function makeNew(name: string): boolean {
  if (lstatSync(name, { throwIfNoEntry: false }) !== undefined) return false;
  attempt(`cannot extract to ${name}`, () => mkdirSync(name, { mode: 0o700 }));
  return true;
}

function openIt(name: string): number {
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  if (attempt(`cannot extract to ${name}`, () => lstatSync(name)).isDirectory()) {
    return attempt(`cannot extract to ${name}`, () => openSync(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }
  throw refusal(name, "it is there already, and no directory", "name a new directory");
}

function checkPrivate(name: string, { uid, mode }: Stats): void {
  if (uid !== process.geteuid?.()) {
    throw refusal(name, `it belongs to another user (uid ${uid})`, "name a new directory");
  }
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o7777).toString(8).padStart(4, "0");
    throw refusal(
      name,
      `other users can enter it (mode ${shown}), and an image may hold keys`,
      "name a directory that does not exist yet, or make it private: chmod 700",
    );
  }
}

function refusal(name: string, reason: string, hint: string): BootError {
  return new BootError(`cannot extract to ${name}: ${reason}`, { hint });
}

function removeAgain(name: string): void {
  try {
    rmdirSync(name);
  } catch {
    // What is in it, or took its place, is not ours.
  }
}
