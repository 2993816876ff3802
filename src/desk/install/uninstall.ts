import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { attempt, isFile } from "../host.ts";
import type { Change, ChangeLog } from "./changes.ts";
import { type Distribution, INSTALL_CONF } from "./distribution.ts";
import { digestFile, isRestored, isUntouched, restoreFile, rewriteFile } from "./hook-files.ts";
import { withoutGenerator } from "./hook-texts.ts";
import { type InstallRecord, RECORD, writeRecord } from "./record.ts";
import { restoreImage } from "./restore-image.ts";

/** Takes back what `levain install` has changed: the hooks first, so that another program can make the images. Throws BootError. */
export function uninstall(root: string, distribution: Distribution, record: InstallRecord, log: ChangeLog): void {
  for (const file of record.files.toReversed()) takeBack(root, file, log);
  for (const [version, image] of Object.entries(record.images)) {
    const { isBack, ...change } = restoreImage(root, distribution, version, image);
    if (isBack) log.tell(change);
    else log.warn(`${change.path}: ${change.does}`);
  }
  removeProgram(root, record, log);
  for (const path of [RECORD, "/var/lib/levain/crypttab"]) fs.rmSync(join(root, path), { force: true });
}

function takeBack(root: string, file: InstallRecord["files"][number], log: ChangeLog): void {
  const path = join(root, file.path);
  if (isUntouched(root, file) || !fs.existsSync(path)) {
    restoreFile(root, file);
    removeEmptyDirectories(root, dirname(file.path));
    log.tell({ path, does: file.before === null && !file.isDiverted ? "removed" : "as before" });
  } else if (isRestored(root, file)) log.tell({ path, does: "as before" });
  else if (file.path === INSTALL_CONF) log.tell(restoreGenerator(path, file.before));
  else log.warn(`${path}: it was changed since levain install, so it stays`);
}

/** Removes the image of a kernel that is removed, and the one that was kept. Throws BootError. */
export function removeImage(root: string, record: InstallRecord, version: string, log: ChangeLog): void {
  const image = record.images[version];
  if (image === undefined) return;
  const path = join(root, image.path);
  const isOurs = !isFile(path) || image.sha256 === null || digestFile(path) === image.sha256;
  attempt(`cannot remove ${path}`, () => {
    if (isOurs) fs.rmSync(path, { force: true });
    if (image.kept !== null) fs.rmSync(join(root, image.kept.path), { force: true });
  });
  delete record.images[version];
  writeRecord(root, record);
  if (isOurs) log.tell({ path, does: "removed", kernel: version });
  else log.warn(`${path}: levain did not write it, so it stays`);
}

/** Without levain, no generator may be left that kernel-install would ask; what else was changed stays. */
function restoreGenerator(path: string, before: string | null): Change {
  const old = before === null ? "" : Buffer.from(before, "base64").toString();
  const text = attempt(`cannot read ${path}`, () => fs.readFileSync(path, "utf8"));
  rewriteFile(path, withoutGenerator(text, old));
  return { path, does: "its generators are as before; other changes stay" };
}

/** Removes the copy of this program, unless it was replaced since. */
function removeProgram(root: string, { program, copied }: InstallRecord, log: ChangeLog): void {
  const path = join(root, program);
  if (copied === null || !isFile(path) || digestFile(path) !== copied) return;
  attempt(`cannot remove ${path}`, () => fs.rmSync(path));
  log.tell({ path, does: "removed" });
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
  "/etc/pacman.d/hooks",
  ...["postinst.d", "postrm.d", "install.d", "install.conf.d"].map((name) => `/etc/kernel/${name}`),
]);
