import type { Machine } from "../../machine/machine.ts";
import { printable } from "../../problems/report.ts";
import type { BootEntry } from "../boot-entries/entry.ts";
import { type Inspection, inspectBytes } from "../inspect/inspection.ts";
import { readUki } from "../inspect/uki.ts";
import { compareReleases } from "./compare-releases.ts";
import { fromFile } from "./from-file.ts";

/** What a boot loader loads: an initramfs, or a unified kernel image with one (UAPI group, Unified Kernel Image). */
export interface BootImage {
  /** Its files, in the order in which the boot loader concatenates them. */
  readonly files: readonly string[];
  /** The initramfs. */
  readonly initrd: Uint8Array;
  readonly inspection: Inspection;
  /** null: an initramfs. */
  readonly unified: UnifiedImage | null;
}

/** The parts of a unified kernel image besides the initramfs. */
export interface UnifiedImage {
  readonly linux: Uint8Array;
  /** null: the boot loader's. */
  readonly cmdline: string | null;
  /** The kernel's release; null if the image does not say. */
  readonly release: string | null;
  readonly isSigned: boolean;
}

/**
 * Reads an image from the files that a boot loader concatenates: microcode comes first, for example. `entry`: what loads them, for the
 * message. Throws BootError.
 */
export function readBootImage(machine: Machine, files: readonly string[], entry: BootEntry | null = null): BootImage {
  const name = files.at(-1) ?? "";
  const contents = files.map((file) => readWhole(machine, file, entry));
  const [only = new Uint8Array()] = contents;
  const uki = files.length === 1 ? readUki(only) : null;
  if (uki !== null && uki.initrd !== null && uki.linux !== null) {
    const { initrd, linux, summary } = uki;
    const unified = { linux, cmdline: summary.cmdline, release: summary.uname, isSigned: summary.isSigned };
    return { files, initrd, inspection: inspectBytes(name, initrd), unified };
  }
  const bytes = contents.length === 1 ? only : concatenate(contents);
  return { files, initrd: bytes, inspection: inspectBytes(name, bytes), unified: null };
}

/** The kernel reads an archive only from a multiple of 4 bytes on; boot loaders pad each file to that (grub_initrd_load). */
function concatenate(contents: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(contents.flatMap((bytes) => [bytes, new Uint8Array(-bytes.length & 3)]));
}

function readWhole(machine: Machine, file: string, entry: BootEntry | null): Uint8Array {
  const seen = entry === null ? [] : [`the boot entry ${printable(`"${entry.title}" in ${entry.config}`)} loads it`];
  return fromFile(machine, file, () => machine.readFile(file), seen);
}

/** Returns the releases of the kernels that an image has modules for, the newest first. */
export function releasesOf({ inspection }: BootImage): readonly string[] {
  const releases = inspection.findings.kernels.flatMap(({ version }) => version ?? []);
  return releases.toSorted((one, other) => compareReleases(other, one));
}
