import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { holds } from "../../formats/bytes.ts";
import { readPe } from "../../formats/kernels/pe.ts";
import { BootError } from "../../problems/errors.ts";
import { attempt, fileBelow, isFile } from "../host.ts";
import { type KernelFacts, readKernelFacts } from "../kernels/kernel-facts.ts";
import { type KernelChoice, kernelPlaces } from "../modules/kernel.ts";
import { appendSections, type NewSection } from "./append-sections.ts";
import { EFI_NAMES, SYSTEMD_EFI } from "./efi-names.ts";
import { splitMicrocode } from "./microcode.ts";
import type { UkiOptions } from "./options.ts";

/** Everything of a unified kernel image but the initramfs, read and checked before that is built. */
export interface UkiParts {
  /** The kernel's version, as `uname -r` prints it. */
  readonly version: string;
  readonly facts: KernelFacts;
  /** The kernel command line; null: the boot loader's. */
  readonly cmdline: string | null;
  /** Returns the whole image, in pieces. */
  readonly join: (initrd: Uint8Array) => readonly Uint8Array[];
}

const OS_RELEASE = ["etc/os-release", "usr/lib/os-release"];
/** COMMAND_LINE_SIZE of x86 and AArch64: the kernel cuts off the rest. */
const CMDLINE_MAX_BYTES = 2047;
/** A photograph for the largest screen has 33 MB. */
const FILE_MAX_BYTES = 256 << 20;

/** Reads what goes into a unified kernel image (the specification UAPI.5), with `kernel` and `root` as in `ImageOptions`. Throws BootError. */
export function readUkiParts(options: UkiOptions, kernel: KernelChoice | null, root = "/"): UkiParts {
  const path = options.linux ?? findLinux(kernel);
  const linux = read(path, "the kernel", "name the kernel with --linux FILE");
  const { version, facts } = checkLinux(linux, path, kernel);
  const stubPath = options.stub ?? join(SYSTEMD_EFI, EFI_NAMES[facts.architecture].stub);
  const stub = read(
    stubPath,
    "systemd's stub",
    "install it (Debian: apt install systemd-boot-efi), or name it: --stub FILE",
  );
  const [stubMachine, machine] = [readPe(stub)?.machine, readPe(linux)?.machine];
  if (stubMachine !== undefined && stubMachine !== machine)
    throw new BootError(`${stubPath} is for another architecture than the kernel ${path}`);
  const cmdline = options.cmdline === null ? null : readCmdline(options.cmdline);
  const described = [
    { name: ".osrel", data: readOsRelease(options.osRelease, root) },
    { name: ".cmdline", data: cmdline === null ? null : Buffer.from(cmdline) },
    { name: ".uname", data: Buffer.from(version) },
    { name: ".splash", data: options.splash === null ? null : readSplash(options.splash) },
  ];
  const assemble = (initrd: Uint8Array) => {
    // An older stub leaves .ucode out; at the beginning of the initramfs the kernel finds microcode as well.
    const { microcode, rest } = Buffer.from(stub).includes(".ucode")
      ? splitMicrocode(initrd)
      : { microcode: null, rest: initrd };
    const sections = [
      ...described,
      { name: ".ucode", data: microcode },
      { name: ".initrd", data: rest },
      { name: ".linux", data: linux },
    ];
    return appendSections(
      stub,
      sections.filter((section): section is NewSection => section.data !== null),
      stubPath,
    );
  };
  return { version, facts, cmdline, join: assemble };
}

function read(path: string, what: string, hint: string): Buffer {
  const failure = `cannot read ${what} ${path}`;
  const status = attempt(failure, () => statSync(path), hint);
  // A device or a FIFO may never end.
  if (!status.isFile()) throw new BootError(`${failure}: not a regular file`, { hint });
  if (status.size > FILE_MAX_BYTES) throw new BootError(`${failure}: it is larger than 256 MiB`, { hint });
  return attempt(failure, () => readFileSync(path), hint);
}

function findLinux(kernel: KernelChoice | null): string {
  if (kernel === null)
    throw new BootError("no kernel for the unified kernel image", { hint: "name it with --linux FILE" });
  const places = kernelPlaces(kernel);
  const found = places.find(isFile);
  if (found !== undefined) return found;
  throw new BootError(`no kernel ${kernel.version} found for the unified kernel image`, {
    seen: places.map((path) => `${path}: no file`),
    hint: "name it with --linux FILE",
  });
}

/** Returns the version of a kernel. Throws BootError if firmware cannot start it, or if the modules are another kernel's. */
function checkLinux(linux: Buffer, path: string, kernel: KernelChoice | null) {
  const facts = readKernelFacts(linux);
  const version = facts?.release ?? null;
  if (facts === null || version === null) {
    throw new BootError(`${path} is not a kernel for x86 or AArch64`, {
      hint: "name a bzImage, or an Image of AArch64, with --linux FILE",
    });
  }
  if (readPe(linux) === null) {
    throw new BootError(`UEFI firmware cannot start the kernel ${path}`, {
      hint: "it is compressed as a whole, configured without CONFIG_EFI_STUB, or not a 64-bit kernel; choose another one with --linux FILE",
    });
  }
  if (kernel !== null && version !== kernel.version) {
    throw new BootError(`${path} is Linux ${version}, but the modules are those of ${kernel.version}`, {
      hint: `choose the kernel with --linux FILE, or its modules with --kernel ${version}`,
    });
  }
  return { version, facts };
}

/** Reads the text, or the file after "@", whose lines are joined. */
function readCmdline(given: string): string {
  const text = given.startsWith("@")
    ? read(given.slice(1), "the kernel command line", "check the path after @").toString()
    : given;
  const cmdline = text.trim().replace(/\s*\n\s*/g, " ");
  if (/[\0-\x1f\x7f]/.test(cmdline)) throw new BootError("the kernel command line contains a control character");
  if (Buffer.byteLength(cmdline) <= CMDLINE_MAX_BYTES) return cmdline;
  throw new BootError(
    `the kernel command line has ${Buffer.byteLength(cmdline)} bytes, and the kernel reads ${CMDLINE_MAX_BYTES}`,
  );
}

/** Boot menus show its PRETTY_NAME; without the file, the image is started by its name. */
function readOsRelease(given: string | null, root: string): Buffer | null {
  const path = given ?? OS_RELEASE.map((name) => fileBelow(root, join(root, name))).find(isFile);
  return path === undefined
    ? null
    : read(path, "the description of the system", "name another one with --os-release FILE");
}

function readSplash(path: string): Buffer {
  const splash = read(path, "the picture", "check the path after --splash");
  if (holds(splash, 0, "BM")) return splash;
  throw new BootError(`${path} is not a Windows bitmap`, {
    hint: "convert it: convert PICTURE BMP3:splash.bmp (ImageMagick)",
  });
}
