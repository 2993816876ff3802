import type { PendingModule } from "../machine/kernel.ts";
import type { Machine } from "../machine/machine.ts";
import { listOrNone, textOrNone } from "../machine/small-files.ts";
import { orIfFailed } from "../problems/errors.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { readModinfo } from "./index/modinfo.ts";
import type { ScannedModule } from "./index/scanned-modules.ts";
import type { Wait } from "./loading/steps.ts";

/** By the ending of the file's name: the name in /sys/module/compression. */
const COMPRESSIONS = { ".gz": "gzip", ".xz": "xz", ".zst": "zstd" } as const;
type Compression = (typeof COMPRESSIONS)[keyof typeof COMPRESSIONS];

/** A driver probes its devices while it is loaded, and a disk that does not answer makes that last for minutes. */
const PATIENCE_MS = 5000;
/** The end of each insertion waits for all asynchronous probes of the kernel, so also for those of a driver that was busy before. */
const SHORT_PATIENCE_MS = 500;
/** Modules that probe devices. What is needed as soon as it is loaded (filesystems, ciphers, device-mapper targets, loop) may take its time: btrfs measures its RAID6 code. */
const PROBING = /\/kernel\/drivers\/(?!md\/|block\/(?:loop|brd|zram)\b)/;
/** Filesystems that probe a device of the hypervisor, and are mounted as soon as they are loaded. */
const PROBING_FILESYSTEM = /\/(?:9pnet_virtio|virtiofs)\.ko/;
const WORK_DIRECTORY = "/run/levain";
/** BusyBox's or the one of XZ Utils; both replace the file by one without the ending. */
const UNXZ = [["/bin/busybox", "unxz"], ["/bin/unxz"], ["/usr/bin/unxz"], ["/sbin/unxz"]] as const;

/** What else the kernel is doing when a module is loaded. */
export interface Surroundings {
  /** A driver takes long: it is likely that the next one does too. */
  readonly isAnyBusy: boolean;
  /** Drivers probe devices, or a disk is slow. */
  readonly isAnyProbing: boolean;
  /** Nothing needs the devices of the drivers that are loaded now. */
  readonly isHasty: boolean;
}

/**
 * Creates what begins to load the module in a file. It leaves the decompression of .gz, .xz and .zst to the kernel if it can do it
 * (Linux 5.17 with CONFIG_MODULE_DECOMPRESS). Throws SyscallError or BootError if its file cannot be decompressed.
 */
export function createStarter(machine: Machine): (path: string, given: string, around: Surroundings) => Wait {
  let kernelCan: string | null = null;
  return (path, given, around) => {
    const isProbing = PROBING.test(path);
    const patienceMs = around.isAnyBusy ? SHORT_PATIENCE_MS : PATIENCE_MS;
    const wait = { patienceMs: isProbing ? patienceMs : Number.POSITIVE_INFINITY };
    const parameters = isAsynchronous(path, isProbing, around) ? `${given} async_probe`.trim() : given;
    const compression = compressionOf(path);
    if (compression === null) return { ...wait, pending: machine.startModule(path, parameters) };
    kernelCan ??= textOrNone(machine, "/sys/module/compression").trimEnd();
    if (kernelCan === compression) {
      return { ...wait, pending: machine.startModule(path, parameters, { compressed: true }) };
    }
    const plain = decompressModule(machine, path, compression);
    return { ...wait, pending: removeAfter(machine, plain, machine.startModule(plain, parameters)) };
  };
}

/**
 * A module that asks for asynchronous probes does not wait for those of others. But the names of disks then depend on which answers
 * first, so disk drivers ask for it only if nothing needs their disks.
 */
function isAsynchronous(path: string, isProbing: boolean, { isAnyProbing, isHasty }: Surroundings): boolean {
  if (isHasty) return true;
  return isAnyProbing && !isProbing && !PROBING_FILESYSTEM.test(path);
}

/** Removes a decompressed copy when the kernel does not read it any longer. */
function removeAfter(machine: Machine, plain: string, pending: PendingModule): PendingModule {
  let isThere = true;
  const remove = () => {
    if (isThere) machine.removeFile(plain);
    isThere = false;
  };
  return {
    isDone(timeoutMs) {
      try {
        const isDone = pending.isDone(timeoutMs);
        if (isDone) remove();
        return isDone;
      } catch (error) {
        remove();
        throw error;
      }
    },
  };
}

/** Reads a module's ELF file and decompresses it; empty for xz, which only the kernel and unxz decompress. Throws SyscallError, BootError. */
function readPlainModule(machine: Machine, path: string): Uint8Array {
  const compression = compressionOf(path);
  if (compression === "xz") return new Uint8Array();
  const bytes = machine.readFile(path);
  return compression === null ? bytes : decompress(bytes, path, compression);
}

function compressionOf(path: string): Compression | null {
  const ending = path.slice(path.lastIndexOf("."));
  return Object.hasOwn(COMPRESSIONS, ending) ? COMPRESSIONS[ending as keyof typeof COMPRESSIONS] : null;
}

/** Returns the path of the decompressed copy. */
function decompressModule(machine: Machine, path: string, compression: Compression): string {
  const name = path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."));
  const plain = `${WORK_DIRECTORY}/${name}`;
  machine.makeDirectory(WORK_DIRECTORY);
  if (compression === "xz") unpackXz(machine, path, plain);
  else machine.writeFile(plain, decompress(machine.readFile(path), path, compression));
  return plain;
}

function decompress(bytes: Uint8Array, path: string, compression: "gzip" | "zstd"): Uint8Array {
  const unpack = () => (compression === "zstd" ? Bun.zstdDecompressSync(bytes) : Bun.gunzipSync(new Uint8Array(bytes)));
  return orProblem("module-not-decompressed", { path }, unpack);
}

function unpackXz(machine: Machine, path: string, plain: string): void {
  const unxz = UNXZ.find(([program]) => machine.stat(program)?.kind === "file");
  if (unxz === undefined) throw problem("module-needs-unxz", { path });
  const copy = `${plain}.xz`;
  machine.writeFile(copy, machine.readFile(path));
  const { status, output } = machine.run([...unxz, "-f", copy], { capture: true });
  if (status === 0) return;
  if (machine.stat(copy) !== null) machine.removeFile(copy);
  throw problem("unxz-failed", { path, status, output: output.trim() });
}

/** Links to the kernel's sources, which may be anywhere. */
const NOT_MODULES = new Set(["build", "source"]);
const MODULE_FILE = /\.ko(\.(gz|xz|zst))?$/;

/** Reads the .modinfo section of these module files of a directory; it is empty for a file that cannot be read here, such as one compressed with xz. */
export function scanModules(machine: Machine, directory: string, paths: readonly string[]): readonly ScannedModule[] {
  // A damaged module is reported when it is loaded.
  const read = (path: string) => orIfFailed(() => readPlainModule(machine, `${directory}/${path}`), new Uint8Array());
  return paths.map((path) => ({ path, modinfo: readModinfo(read(path)) }));
}

/** Lists the module files of a directory, without its subdirectories. */
export function listModuleFiles(machine: Machine, directory: string): readonly string[] {
  return listOrNone(machine, directory).filter((name) => MODULE_FILE.test(name));
}

/** Lists every module file below a directory, as paths relative to it. */
export function listModuleTree(machine: Machine, directory: string, below = ""): readonly string[] {
  return listOrNone(machine, `${directory}/${below}`).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    if (MODULE_FILE.test(name)) return [path];
    // A stat of every name costs more than this: no directory of modules has a dot in its name.
    return name.includes(".") || (below === "" && NOT_MODULES.has(name))
      ? []
      : listModuleTree(machine, directory, path);
  });
}
