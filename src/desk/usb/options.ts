import { resolve } from "node:path";
import { type CommandWords, UsageError } from "../command-line.ts";
import { readOptions } from "../commands/image.ts";
import type { ImageOptions } from "../image/options.ts";
import { MIB, type Table } from "./layout.ts";

/** Where the root of a stick comes from. */
export type RootChoice =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "running"; readonly keepsIdentity: boolean; readonly mounts: readonly string[] }
  | {
      readonly kind: "debian";
      readonly suite: string;
      readonly packages: readonly string[];
      readonly mirror: string | null;
      /** The file with the password of root; null: the user is asked. */
      readonly passwordFile: string | null;
    };

/** The arguments of `levain usb`; null is the default. */
export interface UsbOptions {
  readonly output: string;
  readonly root: RootChoice;
  readonly type: "squashfs" | "erofs";
  readonly table: Table;
  readonly label: string;
  readonly isEncrypted: boolean;
  readonly keyFile: string | null;
  /** Bytes of the partition for changes. */
  readonly persist: number | null;
  readonly hasVerity: boolean;
  /** Bytes of the disk. */
  readonly size: number | null;
  readonly cmdline: readonly string[];
  readonly vmlinuz: string | null;
  readonly efi: string | null;
  readonly bios: string | null;
  readonly force: string | null;
  readonly isAgreed: boolean;
  readonly seed: string | null;
  /** Of the initramfs. */
  readonly image: ImageOptions;
}

const DEFAULT_LABEL = "LEVAIN";
/** What a FAT, a partition table and a boot menu can have without quoting. */
const LABEL = /^[A-Z0-9][A-Z0-9_-]{0,10}$/;
/** Boot loaders treat quotes, backslashes and control characters in their own ways. */
const PARAMETERS = /^[ !#-&(-[\]-~]+$/;
/** An ext4 that is smaller has no room for its journal. */
const LEAST_PERSIST = 16 * MIB;

/** Reads the options of a command line that was given in `directory`. Throws UsageError and BootError. */
export function readUsbOptions(line: CommandWords, directory: string): UsbOptions {
  const output = line.one("output");
  if (output === null) throw new UsageError("Missing --output FILE or --output /dev/sdX");
  const path = (name: string) => {
    const given = line.one(name);
    return given === null ? null : resolve(directory, given);
  };
  const isEncrypted = line.has("encrypt");
  if (line.has("key-file") && !isEncrypted) throw new UsageError("--key-file needs --encrypt");
  const [persist, size] = [readSize(line, "persist"), readSize(line, "size")];
  if (persist !== null && persist < LEAST_PERSIST) throw new UsageError("--persist: expected at least 16M");
  return {
    output: resolve(directory, output),
    root: readRoot(line, directory),
    type: line.has("erofs") ? "erofs" : "squashfs",
    table: readTable(line.one("table") ?? "gpt"),
    label: readLabel(line.one("label") ?? DEFAULT_LABEL),
    isEncrypted,
    keyFile: readSecretPath(line, "key-file", directory),
    persist,
    hasVerity: line.has("verity"),
    size,
    cmdline: line.all("cmdline").flatMap(readParameters),
    vmlinuz: path("vmlinuz"),
    ...{ efi: line.one("efi"), bios: line.one("bios"), force: line.one("force"), seed: line.one("seed") },
    isAgreed: line.has("yes"),
    // Of a unified kernel image, --cmdline means another thing.
    image: readOptions({ ...line, has: (name) => name !== "cmdline" && line.has(name) }, directory),
  };
}

function readRoot(line: CommandWords, directory: string): RootChoice {
  const given = ["root", "from-running", "debian"].filter((name) => line.has(name));
  if (given.length !== 1) {
    const what = given.length === 0 ? "Missing" : "Use only one of";
    throw new UsageError(`${what} --root DIR, --from-running or --debian SUITE`);
  }
  const refuse = (names: readonly string[], needed: string) => {
    const extra = names.find((name) => line.has(name));
    if (extra !== undefined && !line.has(needed)) throw new UsageError(`--${extra} needs --${needed}`);
  };
  refuse(["keep-identity", "mount"], "from-running");
  refuse(["include", "mirror", "root-password-file"], "debian");
  const [root, suite] = [line.one("root"), line.one("debian")];
  if (root !== null) return { kind: "directory", path: resolve(directory, root) };
  if (suite === null) return { kind: "running", keepsIdentity: line.has("keep-identity"), mounts: line.all("mount") };
  const packages = line
    .all("include")
    .flatMap((names) => names.split(/[\s,]+/))
    .filter((name) => name !== "");
  const wrong = [suite, ...packages].find((word) => !/^[a-z0-9][\w.+:~-]*$/.test(word));
  const passwordFile = readSecretPath(line, "root-password-file", directory);
  if (wrong !== undefined) throw new UsageError(`expected the name of a suite or a package but received "${wrong}"`);
  return { kind: "debian", suite, packages, mirror: line.one("mirror"), passwordFile };
}

function readSecretPath(line: CommandWords, name: string, directory: string): string | null {
  const given = line.one(name);
  return given === "-" ? "/proc/self/fd/0" : given && resolve(directory, given);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: MIB, G: 1024 * MIB, T: 1024 * 1024 * MIB };

/** Reads a size in whole MiB, as "4G"; smaller ones are rounded down. */
function readSize(line: CommandWords, name: string): number | null {
  const text = line.one(name);
  if (text === null) return null;
  const [, number = "", unit = ""] = /^(\d{1,12})([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (number !== "" && bytes >= MIB && bytes < 2 ** 50) return bytes - (bytes % MIB);
  throw new UsageError(`--${name}: expected a size such as 512M or 4G but received "${text}"`);
}

function readTable(text: string): Table {
  if (text === "gpt" || text === "mbr") return text;
  throw new UsageError(`--table: expected gpt or mbr but received "${text}"`);
}

function readLabel(text: string): string {
  const label = text.toUpperCase();
  if (LABEL.test(label)) return label;
  throw new UsageError(`--label: expected at most 11 letters, digits, "-" and "_" but received "${text}"`);
}

function readParameters(text: string): readonly string[] {
  if (!PARAMETERS.test(text)) {
    throw new UsageError("--cmdline: a boot loader would change quotes, backslashes and characters beyond ASCII");
  }
  return text.split(" ").filter((word) => word !== "");
}
