import * as fs from "node:fs";
import { join } from "node:path";
import { attempt, isFile } from "../host.ts";
import type { Change } from "./changes.ts";
import type { Distribution } from "./distribution.ts";
import { digestFile } from "./hook-files.ts";
import { tellBootLoader } from "./install-image.ts";
import { findKernel } from "./kernel-images.ts";
import type { InstallRecord } from "./record.ts";

type ImageRecord = InstallRecord["images"][string];

/** Whether the image is again as without levain, and what happened to it. */
export interface Restoration extends Change {
  readonly isBack: boolean;
}

/** Puts the image from before back, if it still fits the kernel, or has the distribution's program make one. Throws BootError. */
export function restoreImage(
  root: string,
  distribution: Distribution,
  version: string,
  image: ImageRecord,
): Restoration {
  const path = join(root, image.path);
  const kept = image.kept === null ? null : join(root, image.kept.path);
  if (isFile(path) && image.sha256 !== null && digestFile(path) !== image.sha256) {
    // It was renamed to that place before an uninstallation was interrupted.
    if (kept !== null && !isFile(kept)) return { path, does: "as before", isBack: true };
    remove(kept);
    return { path, does: "levain did not write it, so it stays", isBack: false };
  }
  const kernel = findKernel(root, version);
  if (kernel === null) {
    remove(path);
    remove(kept);
    return { path, does: "removed: its kernel is gone", isBack: true };
  }
  // Modules of another build of this kernel may not load.
  if (kept !== null && isFile(kept) && image.kept?.kernel === digestFile(kernel)) {
    attempt(`cannot restore ${path}`, () => fs.renameSync(kept, path), "run the command as root");
    // rename(2) does nothing if both are names of one file, as before the first image of levain is complete.
    remove(kept);
    tellBootLoader(root, version, path);
    return { path, does: "as before", isBack: true };
  }
  const restoration = makeAgain(root, path, distribution.regenerate(version, path));
  if (restoration.isBack) remove(kept);
  return restoration;
}

function remove(path: string | null): void {
  if (path !== null)
    attempt(`cannot remove ${path}`, () => fs.rmSync(path, { force: true }), "run the command as root");
}

/** levain's own image stays until another one takes its place. */
function makeAgain(root: string, path: string, argv: readonly string[]): Restoration {
  const [name = "", ...args] = argv;
  const command = argv.join(" ");
  if (root !== "/") return { path, does: `it is still levain's; run in that system: ${command}`, isBack: false };
  const program = Bun.which(name, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin` });
  const options = { stdin: "ignore", stdout: 2, stderr: "inherit" } as const;
  const status = program === null ? null : Bun.spawnSync([program, ...args], options).exitCode;
  if (status === 0) return { path, does: `made again by ${name}`, isBack: true };
  const reason = status === null ? `this system has no ${name}` : `${command} failed`;
  return { path, does: `it is still levain's, as ${reason}`, isBack: false };
}
