import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { attempt, isFile } from "../host.ts";
import { type Distribution, INSTALL_CONF } from "./distribution.ts";
import { digestFile, isUntouched, restoreFile } from "./hook-files.ts";
import { withoutGenerator } from "./hook-texts.ts";
import { type InstallRecord, RECORD, writeRecord } from "./record.ts";
import { restoreImage } from "./restore-image.ts";

/** What `levain uninstall` did, and what it could not take back. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly kept: readonly string[];
}

/** Takes back what `levain install` has changed: the hooks first, so that another program can make the images. Throws BootError. */
export function uninstall(root: string, distribution: Distribution, record: InstallRecord): Outcome {
  const lines: string[] = [];
  const kept: string[] = [];
  for (const file of record.files.toReversed()) {
    const path = join(root, file.path);
    if (isUntouched(root, file) || !fs.existsSync(path)) {
      restoreFile(root, file);
      removeEmptyDirectories(root, dirname(file.path));
      lines.push(`${path}  ${file.before === null && !file.isDiverted ? "removed" : "as before"}`);
    } else if (file.path === INSTALL_CONF) lines.push(restoreGenerator(path, file.before));
    else kept.push(`${path}: it was changed since levain install, so it stays`);
  }
  for (const [version, image] of Object.entries(record.images)) {
    const { line, isBack } = restoreImage(root, distribution, version, image);
    (isBack ? lines : kept).push(line);
  }
  lines.push(...removeProgram(root, record));
  for (const path of [RECORD, "/var/lib/levain/crypttab"]) fs.rmSync(join(root, path), { force: true });
  removeEmptyDirectories(root, dirname(RECORD));
  return { lines, kept };
}

/** Removes the image of a kernel that is removed, and the one that was kept. Returns what was kept instead. Throws BootError. */
export function removeImage(root: string, record: InstallRecord, version: string): readonly string[] {
  const image = record.images[version];
  if (image === undefined) return [];
  const path = join(root, image.path);
  const isOurs = !isFile(path) || digestFile(path) === image.sha256;
  attempt(`cannot remove ${path}`, () => {
    if (isOurs) fs.rmSync(path, { force: true });
    if (image.kept !== null) fs.rmSync(join(root, image.kept.path), { force: true });
  });
  delete record.images[version];
  writeRecord(root, record);
  return isOurs ? [] : [`${path}: levain did not write it, so it stays`];
}

/** Without levain, no generator may be left that kernel-install would ask; what else was changed stays. */
function restoreGenerator(path: string, before: string | null): string {
  attempt(`cannot restore ${path}`, () => {
    const old = before === null ? "" : Buffer.from(before, "base64").toString();
    fs.writeFileSync(path, withoutGenerator(fs.readFileSync(path, "utf8"), old), { flush: true });
  });
  return `${path}  initrd_generator is as before; other changes stay`;
}

/** Removes the copy of this program, unless it was replaced since. */
function removeProgram(root: string, { program, copied }: InstallRecord): readonly string[] {
  const path = join(root, program);
  if (copied === null || !isFile(path) || digestFile(path) !== copied) return [];
  attempt(`cannot remove ${path}`, () => fs.rmSync(path));
  return [`${path}  removed`];
}

/** Directories that hooks are in exist in every system that has others; a new one is empty again. */
function removeEmptyDirectories(root: string, from: string): void {
  for (let path = from; MADE.has(path); path = dirname(path)) {
    try {
      fs.rmdirSync(join(root, path));
    } catch {
      return; // something else is in it
    }
  }
}

const MADE: ReadonlySet<string> = new Set([
  "/var/lib/levain",
  "/etc/pacman.d/hooks",
  ...["postinst.d", "postrm.d", "install.d"].map((name) => `/etc/kernel/${name}`),
]);
