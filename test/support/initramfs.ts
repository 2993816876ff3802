import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import { GUEST_BUSYBOX } from "./unpacked-programs.ts";

/** One entry of a raw initramfs: a copy of a host file, a text file, a symbolic link, a named pipe or an empty directory. */
export type Entry =
  | { readonly file: string; readonly mode?: number }
  | { readonly text: string; readonly mode?: number }
  | { readonly link: string }
  | { readonly pipe: true }
  | { readonly directory: true };

/** Lays `entries` (path → what is there) out below `root`; files are mode 0755 unless told otherwise. */
export function writeTree(root: string, entries: Readonly<Record<string, Entry>>): void {
  for (const [path, entry] of Object.entries(entries)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if ("directory" in entry) mkdirSync(target, { recursive: true });
    else if ("link" in entry) symlinkSync(entry.link, target);
    else if ("pipe" in entry) Bun.spawnSync(["mkfifo", target]);
    else {
      if ("file" in entry) copyFileSync(entry.file, target);
      else writeFileSync(target, entry.text);
      chmodSync(target, entry.mode ?? 0o755);
    }
  }
}

/** Packs a directory with cpio(1) into an uncompressed newc initramfs that everybody in it belongs to root; returns its path. */
export async function packDirectory(directory: string): Promise<string> {
  const output = join(scratchDirectory(), "initramfs.cpio");
  await runScript('cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 > "$2"', [
    directory,
    output,
  ]);
  return output;
}

/** Packs `entries` into an initramfs that holds nothing else: `packInitramfs({ "/init": { file: levainInit() } })`; returns its path. */
export function packInitramfs(entries: Readonly<Record<string, Entry>>): Promise<string> {
  const tree = scratchDirectory();
  writeTree(tree, entries);
  return packDirectory(tree);
}

/** The entries of a small BusyBox userland whose /init is this shell script. */
export function busyboxEntries(initScript: string): Record<string, Entry> {
  return {
    "/bin/busybox": { file: GUEST_BUSYBOX },
    "/bin/sh": { link: "busybox" },
    "/init": { text: `#!/bin/busybox sh\n${initScript}\n` },
    "/proc": { directory: true },
    "/sys": { directory: true },
    "/dev": { directory: true },
  };
}
