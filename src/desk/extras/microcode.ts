import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { contentOfBytes } from "../archive/content.ts";
import { align, HEADER_BYTES } from "../archive/cpio.ts";
import type { ImageEntry } from "../archive/tree.ts";
import type { Hints } from "../hints/schema.ts";
import { attempt, isDirectory } from "../host.ts";
import { findCompression } from "../inspect/streams/compressions.ts";

type Cpu = Hints["cpu"];

/** Where a vendor's files are, which of them are for one CPU, and how the kernel names them (Documentation/arch/x86/microcode.rst). */
interface Vendor {
  readonly name: string;
  readonly directory: string;
  readonly files: RegExp;
  readonly isFor: (file: string, cpu: Cpu) => boolean;
  readonly target: string;
  readonly debian: string;
}

const hex = (value: number) => value.toString(16).padStart(2, "0");

const VENDORS: readonly Vendor[] = [
  {
    name: "GenuineIntel",
    directory: "intel-ucode",
    files: /^[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}(\.initramfs)?(\.xz|\.zst)?$/,
    isFor: (file, { family, model, stepping }) => file.startsWith([family, model, stepping].map(hex).join("-")),
    target: "GenuineIntel.bin",
    debian: "intel-microcode",
  },
  {
    name: "AuthenticAMD",
    directory: "amd-ucode",
    files: /^microcode_amd(_fam[0-9a-f]+h)?\.bin(\.xz|\.zst)?$/,
    // One file for the families 10h to 14h, then one for each.
    isFor: (file, { family }) =>
      file.startsWith(family < 0x15 ? "microcode_amd.bin" : `microcode_amd_fam${hex(family)}h.`),
    target: "AuthenticAMD.bin",
    debian: "amd64-microcode",
  },
];

const PLACE = "/kernel/x86/microcode";
/** Ten times all files of Intel. */
const UNPACKED_MAX = 256 << 20;
/** The kernel gives the data in the archive to the CPU, which wants it aligned. */
const ALIGNMENT = 16;

/**
 * Returns the entries of the archive that the kernel reads before it unpacks any: the microcode of `cpu`, or of every CPU that this
 * host has some for. Throws BootError if it has none at all.
 */
export function findMicrocode(cpu: Cpu | null, voice: Voice, firmware = "/lib/firmware"): readonly ImageEntry[] {
  const wanted = VENDORS.filter(({ name }) => cpu === null || cpu.vendor === name);
  if (cpu !== null && wanted.length === 0) {
    throw new BootError(`there is no microcode for CPUs of "${printable(cpu.vendor)}"`, {
      hint: "leave out --microcode",
    });
  }
  const there = wanted.filter(({ directory }) => isDirectory(join(firmware, directory)));
  if (there.length === 0) {
    throw new BootError(
      `this host has no microcode in ${wanted.map(({ directory }) => join(firmware, directory)).join(" or ")}`,
      {
        hint: `install it (Debian: apt install ${wanted.map(({ debian }) => debian).join(" or ")}), or leave out --microcode`,
      },
    );
  }
  const files = there.flatMap((vendor) => {
    const directory = join(firmware, vendor.directory);
    const names = attempt(`cannot read ${directory}`, () => readdirSync(directory)).sort();
    const chosen = names.filter((name) => vendor.files.test(name) && (cpu === null || vendor.isFor(name, cpu)));
    return chosen.length === 0
      ? []
      : [{ target: vendor.target, bytes: Buffer.concat(chosen.map((name) => readPlain(join(directory, name)))) }];
  });
  if (files.length === 0 && cpu !== null) {
    voice.warn(
      `this host has no microcode for the CPU: ${printable(cpu.vendor)}, family ${cpu.family}, model ${cpu.model}, stepping ${cpu.stepping}`,
    );
  }
  return files.length === 0 ? [] : placeAligned(files);
}

/** The kernel's own loader, which decompresses firmware, comes later. */
function readPlain(path: string): Uint8Array {
  const bytes = attempt(`cannot read ${path}`, () => readFileSync(path));
  return /\.(xz|zst)$/.test(path)
    ? (findCompression(bytes, 0)?.unpack(bytes, 0, UNPACKED_MAX).unpacked ?? bytes)
    : bytes;
}

function placeAligned(
  files: readonly { readonly target: string; readonly bytes: Uint8Array }[],
): readonly ImageEntry[] {
  const entries: ImageEntry[] = ["/kernel", "/kernel/x86", PLACE].map((path) => ({
    kind: "directory",
    path,
    mode: 0o755,
  }));
  let end = entries.reduce((sum, { path }) => sum + headBytes(path), 0);
  for (const { target, bytes } of files) {
    const path = `${PLACE}/${target}`;
    // The name of an empty file before it is as long as it must be.
    const fillers = ["", "1234", "12345678", "123456789012"].map((digits) => `${PLACE}/.align-${target}-${digits}`);
    const filler = ["", ...fillers].find((name) => (end + headBytes(name) + headBytes(path)) % ALIGNMENT === 0) ?? "";
    if (filler !== "") entries.push({ kind: "file", path: filler, mode: 0o644, content: contentOfBytes("") });
    entries.push({ kind: "file", path, mode: 0o644, content: contentOfBytes(bytes) });
    end += headBytes(filler) + headBytes(path) + align(bytes.length, 4);
  }
  return entries;
}

/** Bytes of a header of newc with its name, without the slash at its beginning and with a NUL; 0 for no file. */
function headBytes(path: string): number {
  return path === "" ? 0 : align(HEADER_BYTES + Buffer.byteLength(path), 4);
}
