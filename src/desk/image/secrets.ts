import { fstatSync, type Stats, statSync } from "node:fs";
import { DEFAULT_KEY_FILE } from "../../parameters/crypt/place.ts";
import type { CryptPlan } from "../../plan/crypt/crypt-plan.ts";
import type { Voice } from "../../problems/voice.ts";
import type { ImageTree } from "../archive/tree.ts";

const KEY_DIRECTORIES = ["/etc/cryptsetup-keys.d/", "/run/cryptsetup-keys.d/"];
const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;
const EXECUTABLE = 0o111;
const NOT_OWNER = 0o077;
const NAMED_MAX = 5;

/** The files of an image that are keys: those that its parameters name, and what others could not read on this host either and is no program. A key may be named by the boot loader only. */
export function findKeys(tree: ImageTree, crypt: CryptPlan): readonly string[] {
  const isProgram = (path: string) => {
    const entry = tree.get(path);
    return entry?.kind === "file" && (entry.mode & EXECUTABLE) !== 0;
  };
  return findSecrets(tree, crypt).filter((path) => !isProgram(path));
}

/** The files of an image that other users must not read: keys that its parameters name, and what others could not read on this host either. */
export function findSecrets(tree: ImageTree, crypt: CryptPlan): readonly string[] {
  const keys = new Set(
    [...crypt.volumes, crypt.unnamed].flatMap((settings) =>
      settings.keys.flatMap(({ in: where, path }) => (where === "image" ? [path] : [])),
    ),
  );
  const closed = [...tree.values()].flatMap((entry) =>
    entry.kind === "directory" && (entry.mode & OTHERS_ENTER) === 0 ? [`${entry.path}/`] : [],
  );
  const places = [...KEY_DIRECTORIES, ...closed];
  return [...tree.values()].flatMap((entry) => {
    if (entry.kind !== "file") return [];
    const { path, mode } = entry;
    const isKey = keys.has(path) || path === DEFAULT_KEY_FILE || places.some((place) => path.startsWith(place));
    return isKey || (mode & OTHERS_READ) === 0 ? [path] : [];
  });
}

/** Warns of secrets in an image that goes to `output`, which will be like `place`, or with null to the standard output, if others could read them there. */
export function warnOfSecrets(secrets: readonly string[], output: string, place: Stats | null, voice: Voice): void {
  const text = place === null ? warnOfStandardOutput(secrets) : warnOfReaders(secrets, output, place);
  if (text !== null) voice.warn(text);
}

/** What to say of secrets that go to a file which is there with these attributes; null where only its owner reads it. */
export function warnOfReaders(
  secrets: readonly string[],
  output: string,
  { mode }: Pick<Stats, "mode">,
): string | null {
  if (secrets.length === 0 || (mode & NOT_OWNER) === 0) return null;
  return `${output} can be read by other users (mode ${octal(mode)}), and it holds ${listSecrets(secrets)}: write it to a filesystem that keeps modes, or mount this one with umask=0077`;
}

/** The same for the standard output; a pipe's reader is not known, so it is always said. */
export function warnOfStandardOutput(secrets: readonly string[], status: Stats = fstatSync(1)): string | null {
  if (secrets.length === 0 || status.isCharacterDevice()) return null;
  if (!status.isFile())
    return `the image on the standard output holds ${listSecrets(secrets)}: keep it where only root reads it`;
  if ((status.mode & NOT_OWNER) === 0) return null;
  return `the standard output is a file that other users can read (mode ${octal(status.mode)}), and the image holds ${listSecrets(secrets)}: redirect it after umask 077, or use --output FILE`;
}

/** What to say of a copy of `source` that more users can read than the source itself; null where they cannot. */
export function warnOfCopy(source: string, output: string): string | null {
  const [before, after] = [statSync(source), statSync(output)];
  if ((before.mode & NOT_OWNER) !== 0 || (after.mode & NOT_OWNER) === 0) return null;
  return `${output} can be read by other users (mode ${octal(after.mode)}), and ${source} cannot: if it holds keys, move it`;
}

function listSecrets(secrets: readonly string[]): string {
  const named = secrets.slice(0, NAMED_MAX).join(", ");
  return `secrets, ${named}${secrets.length > NAMED_MAX ? ` and ${secrets.length - NAMED_MAX} more` : ""}`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
