import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileBelow } from "../host.ts";

/** The endings of a firmware file that the kernel tries, in its order. */
export const FIRMWARE_ENDINGS = ["", ".zst", ".xz"] as const;

/** Returns where the system below `root` has its firmware, the first with precedence; the last is that of NixOS. */
export function firmwareDirectories(root = "/"): readonly [updates: string, usual: string, nixos: string] {
  const lib = fileBelow(root, join(root, "lib"));
  return [join(lib, "firmware/updates"), join(lib, "firmware"), join(root, "run/current-system/firmware")];
}

/**
 * Finds the firmware of modules where the kernel will (drivers/base/firmware_loader): the directory of its version first, plain
 * before compressed. Names may contain wildcards. Files stay compressed: if a distribution compresses them, its kernel reads them.
 */
export function findFirmware(
  wanted: readonly string[],
  version: string,
  directories: readonly string[] = firmwareDirectories(),
) {
  const places = directories.flatMap((directory) => [join(directory, version), directory]);
  const files = new Map<string, ReturnType<typeof fileAt>[number]>();
  const missing: string[] = [];
  for (const name of [...new Set(wanted)].sort()) {
    // The name comes from the module's file and must not leave the directory.
    const found = name.split("/").includes("..") || name.startsWith("/") ? [] : findOne(name, places);
    if (found.length === 0) missing.push(name);
    for (const file of found) files.set(file.name, file);
  }
  return { files: [...files.values()], missing };
}

function findOne(name: string, places: readonly string[]) {
  for (const place of places) {
    for (const ending of FIRMWARE_ENDINGS) {
      const names = /[*?[]/.test(name) ? globSync(name + ending, { cwd: place }).sort() : [name + ending];
      const found = names.flatMap((each) => fileAt(place, each));
      if (found.length > 0) return found;
    }
  }
  return [];
}

/** Returns a file with its name below /lib/firmware and its size in bytes. */
function fileAt(place: string, name: string) {
  const hostPath = join(place, name);
  const status = statSync(hostPath, { throwIfNoEntry: false });
  return status?.isFile() ? [{ name, hostPath, size: status.size }] : [];
}
