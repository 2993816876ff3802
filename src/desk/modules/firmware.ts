import { globSync, statSync } from "node:fs";
import { join } from "node:path";

/** A firmware file of this host. */
export interface FirmwareFile {
  /** Below /lib/firmware, with the ending of its compression. */
  readonly name: string;
  readonly hostPath: string;
  /** Bytes. */
  readonly size: number;
}

const ENDINGS = ["", ".zst", ".xz"] as const;

/**
 * Looks for the firmware that modules name where the kernel will (drivers/base/firmware_loader): its own version's
 * directory first, plain before compressed. Names may hold wildcards. Compressed files stay so: the kernel whose
 * distribution compresses them can read them.
 */
export function findFirmware(
  wanted: readonly string[],
  version: string,
  directories: readonly string[] = ["/lib/firmware/updates", "/lib/firmware"],
): { readonly files: readonly FirmwareFile[]; readonly missing: readonly string[] } {
  const places = directories.flatMap((directory) => [join(directory, version), directory]);
  const files = new Map<string, FirmwareFile>();
  const missing: string[] = [];
  for (const name of [...new Set(wanted)].sort()) {
    // A name comes from the module's file: one that leaves the directory is nobody's firmware.
    const found = name.split("/").includes("..") || name.startsWith("/") ? [] : findOne(name, places);
    if (found.length === 0) missing.push(name);
    for (const file of found) files.set(file.name, file);
  }
  return { files: [...files.values()], missing };
}

function findOne(name: string, places: readonly string[]): readonly FirmwareFile[] {
  for (const place of places) {
    for (const ending of ENDINGS) {
      const names = /[*?[]/.test(name) ? globSync(name + ending, { cwd: place }).sort() : [name + ending];
      const found = names.flatMap((each) => fileAt(place, each));
      if (found.length > 0) return found;
    }
  }
  return [];
}

function fileAt(place: string, name: string): readonly FirmwareFile[] {
  const hostPath = join(place, name);
  const status = statSync(hostPath, { throwIfNoEntry: false });
  return status?.isFile() ? [{ name, hostPath, size: status.size }] : [];
}
