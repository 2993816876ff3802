import { readText } from "../devices/block-devices.ts";
import type { Machine } from "../machine/machine.ts";
import { BootError, isErrno } from "../problems/errors.ts";

/** As /sys/module/compression and the endings of files tell them apart. */
const COMPRESSIONS = { ".gz": "gzip", ".xz": "xz", ".zst": "zstd" } as const;
type Compression = (typeof COMPRESSIONS)[keyof typeof COMPRESSIONS];

const WORK_DIRECTORY = "/run/levain/modules";
/** BusyBox's or the real one; both replace the file by one without the ending. */
const UNXZ = [["/bin/busybox", "unxz"], ["/bin/unxz"], ["/usr/bin/unxz"], ["/sbin/unxz"]] as const;

/** Puts the module in a file into the kernel; throws SyscallError where it refuses, BootError where the file cannot be decompressed. */
export type InsertModule = (path: string, parameters: string) => void;

/** Files ending in .gz, .xz or .zst are left to the kernel where it can (Linux 5.17 with CONFIG_MODULE_DECOMPRESS), else decompressed here. */
export function createInserter(machine: Machine): InsertModule {
  let kernelCan: string | null = null;
  return (path, parameters) => {
    const compression = compressionOf(path);
    if (compression === null) return machine.loadModule(path, parameters);
    kernelCan ??= readCompression(machine);
    if (kernelCan === compression) return machine.loadModule(path, parameters, { compressed: true });
    insertDecompressed(machine, path, compression, parameters);
  };
}

/** A module's ELF file, decompressed; empty for xz, which is left to the kernel or to BusyBox. Throws SyscallError, BootError. */
export function readPlainModule(machine: Machine, path: string): Uint8Array {
  const compression = compressionOf(path);
  if (compression === "xz") return new Uint8Array();
  const bytes = machine.readFile(path);
  return compression === null ? bytes : decompress(bytes, path, compression);
}

function compressionOf(path: string): Compression | null {
  const ending = path.slice(path.lastIndexOf("."));
  return Object.hasOwn(COMPRESSIONS, ending) ? COMPRESSIONS[ending as keyof typeof COMPRESSIONS] : null;
}

/** "" where the kernel decompresses nothing. */
function readCompression(machine: Machine): string {
  try {
    return readText(machine, "/sys/module/compression");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return "";
    throw error;
  }
}

function insertDecompressed(machine: Machine, path: string, compression: Compression, parameters: string): void {
  const name = path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."));
  const plain = `${WORK_DIRECTORY}/${name}`;
  machine.makeDirectory(WORK_DIRECTORY);
  if (compression === "xz") unpackXz(machine, path, plain);
  else machine.writeFile(plain, decompress(machine.readFile(path), path, compression));
  try {
    machine.loadModule(plain, parameters);
  } finally {
    machine.removeFile(plain);
  }
}

function decompress(bytes: Uint8Array, path: string, compression: "gzip" | "zstd"): Uint8Array {
  try {
    return compression === "zstd" ? Bun.zstdDecompressSync(bytes) : Bun.gunzipSync(Uint8Array.from(bytes));
  } catch (cause) {
    throw new BootError(`the module ${path} is damaged: it cannot be decompressed`, {
      cause,
      hint: "make the image again",
    });
  }
}

function unpackXz(machine: Machine, path: string, plain: string): void {
  const unxz = UNXZ.find(([program]) => machine.stat(program)?.kind === "file");
  if (unxz === undefined) {
    throw new BootError(
      `the module ${path} is compressed with xz, which this kernel does not unpack, and there is no unxz`,
      {
        hint: "add BusyBox to the image, or modules that are not compressed",
      },
    );
  }
  const copy = `${plain}.xz`;
  machine.writeFile(copy, machine.readFile(path));
  const { status, output } = machine.run([...unxz, "-f", copy], { capture: true });
  if (status === 0) return;
  if (machine.stat(copy) !== null) machine.removeFile(copy);
  throw new BootError(`the module ${path} is damaged: unxz ended with status ${status}`, {
    cause: new BootError(output.trim()),
  });
}
