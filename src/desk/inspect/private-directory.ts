import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync } from "node:fs";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";

/**
 * Creates `directory` with mode 0700, or opens it if it exists and is private and empty. A directory that another user could
 * reach or replace is refused: images contain keys, and set-uid programs from unknown sources. Returns a path to the open
 * directory, which stays valid if its name is replaced. Throws BootError.
 */
export function openPrivateDirectory(directory: string): { readonly path: string; close(): void } {
  const name = directory.replace(/(?<=.)\/+$/, ""); // with a slash at the end, the kernel follows a symbolic link
  const what = `cannot extract to ${name}`;
  const refuse = (reason: string, hint = "name a new directory"): never => {
    throw new BootError(`${what}: ${reason}`, { hint });
  };
  const isNew = lstatSync(name, { throwIfNoEntry: false }) === undefined;
  if (isNew) attempt(what, () => mkdirSync(name, { mode: 0o700 }));
  if (!attempt(what, () => lstatSync(name)).isDirectory()) refuse("it exists and is not a directory");
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  const descriptor = attempt(what, () => openSync(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  try {
    const path = `/proc/self/fd/${descriptor}`;
    if (attempt(what, () => readdirSync(path)).length > 0) refuse("it exists and is not empty");
    const { uid, mode } = fstatSync(descriptor);
    if (uid !== process.geteuid?.()) refuse(`it belongs to another user (uid ${uid})`);
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o7777).toString(8).padStart(4, "0");
      refuse(
        `other users can enter it (mode ${shown}), and an image may contain keys`,
        "name a directory that does not exist yet, or make it private: chmod 700",
      );
    }
    return { path, close: () => closeSync(descriptor) };
  } catch (error) {
    closeSync(descriptor);
    if (isNew) removeAgain(name);
    throw error;
  }
}

function removeAgain(name: string): void {
  try {
    rmdirSync(name);
  } catch {
    // Its content, or what replaced it, is not ours.
  }
}
