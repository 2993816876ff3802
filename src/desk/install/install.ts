import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import { attempt } from "../host.ts";
import type { Change } from "./changes.ts";
import type { Distribution, HookFile } from "./distribution.ts";
import { digestFile, planFile, putFile } from "./hook-files.ts";
import { type InstallRecord, readRecord, writeRecord } from "./record.ts";
import { replaceFile } from "./replace-file.ts";

/** Where a program is copied that is in no directory of programs. */
const PROGRAM = "/usr/local/bin/levain";
const PROGRAM_DIRECTORIES = ["usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"];

/** What `levain install` will change, besides images. */
export interface HookPlan {
  /** As it is before the first change. */
  readonly record: InstallRecord;
  /** The levain that the hooks call. */
  readonly program: string;
  /** The file that is copied to `program`; null: it is there. */
  readonly source: string | null;
  readonly files: readonly (readonly [HookFile, InstallRecord["files"][number]])[];
}

/** Plans the hooks of a system so that they call the levain in the file `source`. Writes nothing. Throws BootError. */
export function planHooks(root: string, distribution: Distribution, source: string): HookPlan {
  const program = findInstalled(root, source) ?? PROGRAM;
  const record: InstallRecord = readRecord(root) ?? { version: 1, program, copied: null, files: [], images: {} };
  const files = distribution.hooks(program).map((hook) => {
    const known = record.files.find(({ path }) => path === hook.path);
    return [hook, planFile(root, hook, known)] as const;
  });
  const target = join(root, PROGRAM);
  // One that was there before levain install stays there.
  const isThere = program !== PROGRAM || (fs.existsSync(target) && digestFile(target) === digestFile(source));
  return { record, program, source: isThere ? null : source, files };
}

/** Returns what a plan changes, in its order. */
export function listHookChanges(root: string, { program, source, files }: HookPlan): readonly Change[] {
  return [
    ...(source === null ? [] : [{ path: join(root, program), does: "this program" }]),
    ...files.map(([{ path, does, isDiverted = false }]) => ({
      path: join(root, path),
      does: isDiverted ? `${does} (the other one is ${path}.distrib)` : does,
    })),
  ];
}

/** Sets the hooks up. Returns the record. Throws BootError: the record then says what was done. */
export function writeHooks(root: string, { record, program, source, files }: HookPlan): InstallRecord {
  removeOldCopy(root, record, program);
  record.program = program;
  if (source !== null) copyProgram(root, source, record);
  for (const [hook, file] of files) {
    record.files = [...record.files.filter(({ path }) => path !== hook.path), file];
    writeRecord(root, record);
    putFile(root, hook);
  }
  return record;
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

function copyProgram(root: string, source: string, record: InstallRecord): void {
  record.copied = digestFile(source);
  writeRecord(root, record);
  replaceFile(join(root, PROGRAM), (path) => {
    fs.copyFileSync(source, path);
    fs.chmodSync(path, 0o755);
  });
}
