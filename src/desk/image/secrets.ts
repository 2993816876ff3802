import { fstatSync, type Stats, statSync } from "node:fs";
import { SHELL_PASSWORD_FILE } from "../../keys/shell-password.ts";
import { DEFAULT_KEY_FILE } from "../../parameters/crypt/place.ts";
import { INTEGRITYTAB } from "../../parameters/dialects/integritytab.ts";
import { findTabledKeys } from "../../plan/key-list.ts";
import type { BootPlan } from "../../plan/plan.ts";
import type { ImageTree } from "../archive/tree.ts";

const KEY_DIRECTORIES = ["/etc/cryptsetup-keys.d/", "/run/cryptsetup-keys.d/"];
const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;
const EXECUTABLE = 0o111;
const NOT_OWNER = 0o077;
const NAMED_MAX = 5;

/** The part of a plan that names keys. */
type Keyed = Pick<BootPlan, "crypt" | "integrity">;

/** Returns the secrets of an image that are not programs: the boot loader may name any of them as a key. A shell needs its password. */
export function findKeys(tree: ImageTree, plans: readonly Keyed[]): readonly string[] {
  return findSecrets(tree, plans).filter((path) => {
    if (path === SHELL_PASSWORD_FILE) return false;
    const entry = tree.get(path);
    return entry?.kind !== "file" || (entry.mode & EXECUTABLE) === 0;
  });
}

/** Returns the files of an image that other users must not read: keys that its parameters name, and files that others cannot read on this host. */
export function findSecrets(tree: ImageTree, plans: readonly Keyed[]): readonly string[] {
  const places = plans.flatMap(({ crypt }) => [...crypt.volumes, crypt.unnamed]).flatMap(({ keys }) => keys);
  const keys = new Set([
    DEFAULT_KEY_FILE,
    ...places.flatMap(({ in: where, path }) => (where === "image" ? [path] : [])),
    ...plans.flatMap(({ integrity }) => integrity.flatMap(({ options }) => options.keyFile ?? [])),
    ...findTabledKeys(readText(tree, INTEGRITYTAB)),
  ]);
  const closed = [...tree.values()].flatMap((entry) =>
    entry.kind === "directory" && (entry.mode & OTHERS_ENTER) === 0 ? [`${entry.path}/`] : [],
  );
  const directories = [...KEY_DIRECTORIES, ...closed];
  return [...tree.values()].flatMap((entry) => {
    if (entry.kind !== "file") return [];
    const { path, mode } = entry;
    const isKey = keys.has(path) || directories.some((directory) => path.startsWith(directory));
    return isKey || (mode & OTHERS_READ) === 0 ? [path] : [];
  });
}

function readText(tree: ImageTree, path: string): string {
  const entry = tree.get(path);
  return entry?.kind === "file" ? Buffer.concat([...entry.content.chunks()]).toString() : "";
}

/** Returns the warning for secrets in a file with this mode; null if only its owner can read it. */
export function warnOfReaders(
  secrets: readonly string[],
  output: string,
  { mode }: Pick<Stats, "mode">,
): string | null {
  if (secrets.length === 0 || (mode & NOT_OWNER) === 0) return null;
  return `other users can read ${output} (mode ${octal(mode)}), which contains ${listSecrets(secrets)}: write it to a filesystem that keeps modes, or mount this one with umask=0077`;
}

/** Returns the warning for secrets on standard output; always for a pipe, whose reader is not known. */
export function warnOfStandardOutput(secrets: readonly string[], status: Stats = fstatSync(1)): string | null {
  if (secrets.length === 0 || status.isCharacterDevice()) return null;
  if (!status.isFile()) {
    return `the image on standard output contains ${listSecrets(secrets)}: store it where only root can read it`;
  }
  if ((status.mode & NOT_OWNER) === 0) return null;
  return `standard output is a file that other users can read (mode ${octal(status.mode)}), and the image contains ${listSecrets(secrets)}: redirect it after umask 077, or use --output FILE`;
}

/** Returns the warning for a copy of `source` that more users can read than `source`; null if none can. */
export function warnOfCopy(source: string, output: string): string | null {
  const [before, after] = [statSync(source), statSync(output)];
  if ((before.mode & NOT_OWNER) !== 0 || (after.mode & NOT_OWNER) === 0) return null;
  return `other users can read ${output} (mode ${octal(after.mode)}), but not ${source}: move it if it contains keys`;
}

function listSecrets(secrets: readonly string[]): string {
  const named = secrets.slice(0, NAMED_MAX).join(", ");
  return `secrets (${named}${secrets.length > NAMED_MAX ? ` and ${secrets.length - NAMED_MAX} more` : ""})`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
