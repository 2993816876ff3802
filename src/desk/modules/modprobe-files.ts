import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { readLines } from "../../drivers/index/kernel-files.ts";
import { type ConfigFile, MODPROBE_DIRECTORIES, parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { BootError } from "../../problems/errors.ts";
import { sentence } from "../../problems/report.ts";
import { attempt, isDirectory } from "../host.ts";
import { type KernelChoice, modulesRootsOf } from "./kernel.ts";

/** A file of modprobe.d(5) on this host. */
export interface ModprobeFile extends ConfigFile {
  readonly path: string;
}

/** --modprobe-dir: the directories to read, the first has precedence; empty: none; null: those of this host if the modules are its own. */
export type ModprobeRequest = readonly string[] | null;

/** "none" as the only directory. */
const NONE = "none";

/** Parses absolute paths, or "none". Throws BootError for "none" beside paths. */
export function parseModprobeRequest(given: readonly string[]): ModprobeRequest {
  if (given.length === 0) return null;
  if (!given.includes(NONE)) return given;
  const others = given.filter((path) => path !== NONE);
  if (others.length === 0) return [];
  throw new BootError(`--modprobe-dir none contradicts --modprobe-dir ${others[0]}`, {
    hint: "leave one of them out; directories of the command line and of levain.toml are joined",
  });
}

/** Where the system below `root` has its modules and their configuration. */
export const modprobeHost = (root: string) => ({
  modulesRoots: modulesRootsOf(root),
  directories: MODPROBE_DIRECTORIES.map((directory) => join(root, directory)),
});

/** Returns the directories whose files an image gets. Throws BootError for one that does not exist, if it was asked for. */
export function chooseModprobeDirectories(
  request: ModprobeRequest,
  kernel: KernelChoice,
  host = modprobeHost("/"),
): readonly string[] {
  if (request === null) return isOwnTree(kernel, host.modulesRoots) ? listOnce(host.directories) : [];
  const missing = request.find((path) => !isDirectory(path));
  if (missing === undefined) return request;
  throw new BootError(`no directory ${missing} with files of modprobe.d(5)`, {
    hint: "name a directory such as /etc/modprobe.d; a single file is added with --add FILE:/etc/modprobe.d/",
  });
}

/** Where /lib is a link to /usr/lib, both names are one directory. */
function listOnce(directories: readonly string[]): readonly string[] {
  const real = directories.filter(isDirectory).map((path) => [realpathSync(path), path] as const);
  return real.filter(([place], at) => real.findIndex(([other]) => other === place) === at).map(([, path]) => path);
}

/** Whether the modules are installed on this machine: only then does its configuration belong to them. */
function isOwnTree({ modulesDir }: KernelChoice, modulesRoots: readonly string[]): boolean {
  const own = modulesRoots.filter(isDirectory).map((path) => realpathSync(path));
  return own.includes(dirname(realpathSync(modulesDir)));
}

/**
 * Reads the files NAME.conf of these directories in the order of their names, of several with one name the first, as modprobe
 * does. An empty file or a link to /dev/null therefore hides another. A file or directory that cannot be read is left out if
 * `warn` is given; otherwise throws BootError.
 */
export function readModprobeFiles(
  directories: readonly string[],
  warn: ((text: string) => void) | null = null,
): readonly ModprobeFile[] {
  const found = new Map<string, string>();
  for (const directory of directories) {
    const names = orLeftOut(warn, () => attempt(`cannot read ${directory}`, () => readdirSync(directory)));
    for (const name of names.filter((each) => each.endsWith(".conf") && !each.startsWith("."))) {
      if (!found.has(name)) found.set(name, join(directory, name));
    }
  }
  const names = [...found.keys()].sort();
  return names.flatMap((name) => orLeftOut(warn, () => readOne(name, found.get(name) ?? "")));
}

/** Returns nothing, with a warning, if the system refuses `read` and `warn` is given. */
function orLeftOut<T>(warn: ((text: string) => void) | null, read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    if (warn === null || !(error instanceof BootError)) throw error;
    warn(`${sentence(error)}; the image does not contain its settings`);
    return [];
  }
}

/** Skips directories, which modprobe skips too, and reads nothing of devices and links that lead nowhere. */
function readOne(name: string, path: string): readonly ModprobeFile[] {
  const status = attempt(`cannot read ${path}`, (): Stats | undefined => statSync(path, { throwIfNoEntry: false }));
  if (status?.isDirectory()) return [];
  const hint = "run the command as root, or leave these files out with --modprobe-dir none";
  const text = status?.isFile() ? attempt(`cannot read ${path}`, () => readFileSync(path, "utf8"), hint) : "";
  return [{ name, path, text }];
}

/** Returns a file as an image gets it, without the lines that a boot ignores, and a warning that names these. */
export function keepObeyedLines(file: ModprobeFile): { readonly file: ModprobeFile; readonly warning: string | null } {
  const lines = readLines(file.text).map((line) => ({ line, ...parseModprobeConfig([{ name: "", text: line }]) }));
  const ignored = lines.filter(({ problems }) => problems.length > 0);
  if (ignored.length === 0) return { file, warning: null };
  const kept = lines.filter(({ problems }) => problems.length === 0).map(({ line }) => `${line}\n`);
  const text = `# ${file.path} without the lines that levain ignores\n${kept.join("")}`;
  const named = ignored.slice(0, NAMED_MAX).map(({ line }) => `"${line}"`);
  const more = ignored.length > NAMED_MAX ? ` and ${ignored.length - NAMED_MAX} more` : "";
  const warning = `${file.path}: levain runs no commands of install and remove, and ignores unknown lines: ${named.join(", ")}${more}`;
  return { file: { ...file, text }, warning };
}

const NAMED_MAX = 3;
