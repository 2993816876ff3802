import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import { attempt } from "../host.ts";
import type { Distribution, HookFile } from "./distribution.ts";
import { digestFile, planFile, putFile } from "./hook-files.ts";
import { type InstallRecord, readRecord, writeRecord } from "./record.ts";

/** Where a program is copied that is in no directory of programs. */
const PROGRAM = "/usr/local/bin/levain";
const PROGRAM_DIRECTORIES = ["usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"];

/** Sets up the hooks of a system so that they call the levain in the file `source`. Returns the record, and lines for the user. Throws BootError: the record then says what was done. */
export function installHooks(root: string, distribution: Distribution, source: string) {
  const program = findInstalled(root, source) ?? PROGRAM;
  const before = readRecord(root);
  const record: InstallRecord = before ?? { version: 1, program, copied: null, files: [], images: {} };
  removeOldCopy(root, record, program);
  record.program = program;
  const lines: string[] = [`${distribution.name} (found ${distribution.fact})`];
  if (program === PROGRAM && copyProgram(root, source, record)) lines.push(`${join(root, program)}  this program`);
  // All are checked before the first is written.
  const planned = distribution.hooks(program).map((hook) => {
    const known = record.files.find(({ path }) => path === hook.path);
    return [hook, planFile(root, hook, known)] as const;
  });
  for (const [hook, file] of planned) {
    record.files = [...record.files.filter(({ path }) => path !== hook.path), file];
    writeRecord(root, record);
    putFile(root, hook);
    lines.push(describe(root, hook));
  }
  return { record, lines };
}

function describe(root: string, { path, does, isDiverted = false }: HookFile): string {
  return `${join(root, path)}  ${does}${isDiverted ? ` (the other one is ${path}.distrib)` : ""}`;
}

/** Returns the path below `root` of a program that is installed there; null if it is elsewhere. */
function findInstalled(root: string, source: string): string | null {
  const path = relative(fs.realpathSync(root), fs.realpathSync(source));
  return PROGRAM_DIRECTORIES.includes(dirname(path)) && `/${path}` !== PROGRAM ? `/${path}` : null;
}

/** The hooks call another levain now, that of a package perhaps. */
function removeOldCopy(root: string, record: InstallRecord, program: string): void {
  const { copied } = record;
  const old = join(root, record.program);
  if (copied === null || record.program === program) return;
  record.copied = null;
  attempt(`cannot remove ${old}`, () => {
    if (fs.existsSync(old) && digestFile(old) === copied) fs.rmSync(old);
  });
}

/** Copies the program, completely or not at all. Returns whether the copy is new. */
function copyProgram(root: string, source: string, record: InstallRecord): boolean {
  const target = join(root, PROGRAM);
  return attempt(
    `cannot write ${target}`,
    () => {
      const sha256 = digestFile(source);
      const isThere = fs.existsSync(target) && digestFile(target) === sha256;
      // One that was there before levain install stays there.
      if (isThere) return false;
      record.copied = sha256;
      writeRecord(root, record);
      fs.mkdirSync(dirname(target), { recursive: true });
      fs.copyFileSync(source, `${target}.levain-new`);
      fs.chmodSync(`${target}.levain-new`, 0o755);
      fs.renameSync(`${target}.levain-new`, target);
      return true;
    },
    "run the command as root, on a filesystem that can be written",
  );
}
