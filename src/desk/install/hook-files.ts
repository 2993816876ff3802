import * as fs from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import { findTool } from "../tool.ts";
import type { HookFile } from "./distribution.ts";
import type { InstallRecord } from "./record.ts";
import { AS_ROOT, replaceFile } from "./replace-file.ts";

type FileRecord = InstallRecord["files"][number];

const MASK = "/dev/null";
/** Added to the name of a file of a package. */
const DIVERTED = ".distrib";

const digestOf = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");

/** Returns the SHA-256 digest of a file in hexadecimal digits. */
export function digestFile(path: string): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = fs.openSync(path, "r");
  try {
    const room = new Uint8Array(1 << 20);
    for (let got = -1; got !== 0; ) {
      got = fs.readSync(file, room);
      hasher.update(room.subarray(0, got));
    }
  } finally {
    fs.closeSync(file);
  }
  return hasher.digest("hex");
}

/** What is at a path: the digest of a file, "mask" for a link to /dev/null, "other" for anything else, null for nothing. */
function look(path: string): string | null {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!status) return null;
  if (status.isSymbolicLink()) return fs.readlinkSync(path) === MASK ? "mask" : "other";
  return status.isFile() ? digestFile(path) : "other";
}

/** Returns whether the file is still as levain has written it. */
export function isUntouched(root: string, { path, sha256 }: FileRecord): boolean {
  return attempt(`cannot read ${join(root, path)}`, () => look(join(root, path))) === (sha256 ?? "mask");
}

/** Returns whether an uninstallation that was interrupted has taken the file back. */
export function isRestored(root: string, { path, before, isDiverted }: FileRecord): boolean {
  const target = join(root, path);
  if (isDiverted) return !fs.existsSync(`${target}${DIVERTED}`);
  return before !== null && look(target) === digestOf(Buffer.from(before, "base64"));
}

/** Returns the record entry for a file that is about to be written; `known` is its entry so far. Throws BootError if the user changed the file. */
export function planFile(
  root: string,
  { path, text, isDiverted = false }: HookFile,
  known: FileRecord | undefined,
): FileRecord {
  const target = join(root, path);
  const sha256 = text === null ? null : digestOf(text);
  const found = attempt(`cannot read ${target}`, () => look(target), AS_ROOT);
  const isOurs = known !== undefined && (found === (known.sha256 ?? "mask") || found === (sha256 ?? "mask"));
  if (isOurs) return { ...known, sha256 };
  // dpkg-divert moves what a package has there.
  if (found === null || isDiverted) return { path, sha256, before: null, isDiverted };
  if (found === "other" || known !== undefined) {
    throw new BootError(`${target} was changed, so levain does not replace it`, {
      hint: "move it to another name and run levain install again",
    });
  }
  const before = attempt(`cannot read ${target}`, () => fs.readFileSync(target).toString("base64"), AS_ROOT);
  return { path, sha256, before, isDiverted };
}

/** Writes a file of the distribution. Throws BootError. */
export function putFile(root: string, { path, text, mode, isDiverted }: HookFile): void {
  if (isDiverted) divert(root, path, "--add");
  replaceFile(join(root, path), (beside) => {
    if (text === null) fs.symlinkSync(MASK, beside);
    else fs.writeFileSync(beside, text, { mode, flush: true });
  });
}

/** Takes a file back: what was there before is there again. Throws BootError. */
export function restoreFile(root: string, { path, before, isDiverted }: FileRecord): void {
  const target = join(root, path);
  if (before === null) attempt(`cannot remove ${target}`, () => fs.rmSync(target, { force: true }), AS_ROOT);
  else rewriteFile(target, Buffer.from(before, "base64"));
  if (isDiverted) divert(root, path, "--remove");
}

/** Writes the content of a file whose owner and mode stay as they are. Throws BootError. */
export function rewriteFile(target: string, content: string | Uint8Array): void {
  replaceFile(target, (beside) => {
    const status = fs.statSync(target, { throwIfNoEntry: false });
    fs.writeFileSync(beside, content, { flush: true });
    if (status === undefined) return;
    fs.chownSync(beside, status.uid, status.gid);
    fs.chmodSync(beside, status.mode);
  });
}

/** dpkg-divert(1) moves the file of a package, now and at each upgrade. */
function divert(root: string, path: string, action: "--add" | "--remove"): void {
  const program = findTool("dpkg-divert", `${action === "--add" ? "replace" : "restore"} ${path}`);
  const argv = [program, "--root", root, "--local", "--rename", "--divert", `${path}${DIVERTED}`, action, path];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  if (exitCode === 0) return;
  throw new BootError(`dpkg-divert could not ${action === "--add" ? "move" : "restore"} ${join(root, path)}`, {
    seen: stderr.toString().trim().split("\n"),
    hint: "another diversion may exist: dpkg-divert --list",
  });
}
