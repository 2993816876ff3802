import type { Compression } from "../archive/compress.ts";
import type { BootHook } from "../extras/boot-hook.ts";
import type { ModprobeRequest } from "../modules/modprobe-files.ts";
import type { UkiOptions } from "../uki/options.ts";
import type { Addition } from "./addition.ts";
import type { RuntimeRequest } from "./runtime.ts";

/** Whose hints an image is for: a file of `levain host`; null: this machine. */
export type HostChoice = Readonly<{ file: string | null }>;

/** The arguments of `levain image`; null is the default. */
export interface ImageOptions {
  readonly output: string | null;
  /** Of the system that the image is for: "/", or a directory. */
  readonly root: string;
  /** A version, or "none". */
  readonly kernel: string | null;
  readonly modulesDir: string | null;
  /** Modules besides the default ones. */
  readonly modules: readonly string[];
  /** An image for one machine; null: for any. */
  readonly host: HostChoice | null;
  /** Drivers of network cards too. */
  readonly network: boolean;
  /** Where the files of modprobe.d(5) are read. */
  readonly modprobeDirs: ModprobeRequest;
  /** A file, or "none". */
  readonly busybox: string | null;
  readonly init: string | null;
  readonly runtime: RuntimeRequest;
  readonly additions: readonly Addition[];
  /** Programs of this host to add with their libraries, absolute paths. */
  readonly programs: readonly string[];
  /** Names of keymaps; the first is the default. */
  readonly keymaps: readonly string[];
  readonly compression: Compression;
  /** Microcode of the CPU before the image. */
  readonly microcode: boolean;
  /** Names of firmware files below /lib/firmware, wildcards included. */
  readonly firmware: readonly string[];
  /** Without the symbols of modules and programs. */
  readonly strip: boolean;
  /** Programs that add files to the image, absolute paths. */
  readonly hooks: readonly string[];
  readonly bootHooks: readonly BootHook[];
  /** Parameters in the image, which the kernel command line overrides. */
  readonly parameters: readonly string[];
  /** More of them for single machines, by MAC address, serial number, UUID, host name or product. */
  readonly machines: Readonly<Record<string, readonly string[]>>;
  /** The hash of the password for a rescue shell (src/keys/shell-password.ts); null: none. */
  readonly shellPassword: string | null;
  /** A unified kernel image; null: an initramfs. */
  readonly uki: UkiOptions | null;
}
