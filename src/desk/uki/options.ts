import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { type CommandWords, flag, option, UsageError } from "../command-line.ts";

/** What `levain image` needs besides an initramfs to make a unified kernel image; null is the default. */
export interface UkiOptions {
  /** The kernel. */
  readonly linux: string | null;
  /** systemd's stub. */
  readonly stub: string | null;
  /** The kernel command line, or "@FILE" with an absolute path. */
  readonly cmdline: string | null;
  /** A file in the form of os-release(5). */
  readonly osRelease: string | null;
  /** A picture in the form of Windows bitmaps. */
  readonly splash: string | null;
  readonly sign: SigningKey | null;
}

/** A private key and its certificate, both files in PEM form. */
export type SigningKey = Readonly<{ key: string; certificate: string }>;

/** The table [uki] of levain.toml. */
export type UkiConfig = Readonly<
  Partial<Record<"linux" | "stub" | "cmdline" | "os-release" | "splash" | "sign", string | undefined>>
>;

/** The options of `levain image` for a unified kernel image. */
export const UKI_OPTIONS = {
  uki: flag("Make a unified kernel image (default: linux-VERSION.efi), which UEFI firmware starts"),
  linux: option("FILE", "With --uki: the kernel (default: /boot/vmlinuz-VERSION, or vmlinuz beside the modules)"),
  cmdline: option("TEXT", "With --uki: the kernel command line, or @FILE (default: what the boot loader passes)"),
  "os-release": option("FILE", "With --uki: what the boot menu shows (default: /etc/os-release)"),
  splash: option("FILE", "With --uki: a picture (BMP) that is shown before the kernel starts"),
  stub: option("FILE", "With --uki: systemd's stub (default: that of systemd-boot-efi for the kernel)"),
  sign: option("KEY:CERT", "With --uki: sign for Secure Boot with these PEM files, by sbsign"),
} as const;

type Name = keyof UkiConfig;
const NAMES = ["linux", "cmdline", "os-release", "splash", "stub", "sign"] as const satisfies readonly Name[];

/**
 * Returns the options of a command line given in `directory`, which override those of the table [uki] of a file in `base`; null
 * without --uki. Throws UsageError, or BootError.
 */
export function readUkiOptions(
  line: CommandWords,
  config: UkiConfig,
  directory: string,
  base: string,
): UkiOptions | null {
  const given = NAMES.filter((name) => line.has(name));
  if (!line.has("uki")) {
    if (given.length === 0) return null;
    throw new UsageError(`Option '--${given[0]}' needs --uki`);
  }
  const read = <T>(name: Name, parse: (text: string, from: string) => T): T | null => {
    const [own, text] = [line.one(name), line.one(name) ?? config[name]];
    return text === undefined || text === null ? null : parse(text, own === null ? base : directory);
  };
  const file = (text: string, from: string) => resolve(from, text);
  return {
    linux: read("linux", file),
    stub: read("stub", file),
    cmdline: read("cmdline", (text, from) => (text.startsWith("@") ? `@${resolve(from, text.slice(1))}` : text)),
    osRelease: read("os-release", file),
    splash: read("splash", file),
    sign: read("sign", parseSigningKey),
  };
}

/** Parses "KEY:CERT", of which CERT contains no colon. Throws BootError. */
export function parseSigningKey(text: string, directory: string): SigningKey {
  const [, key, certificate] = /^(.+):([^:]+)$/s.exec(text) ?? [];
  if (key === undefined || certificate === undefined || text.includes("\0")) {
    throw new BootError(`expected KEY:CERT but received "${text}"`, {
      hint: "for example --sign db.key:db.crt, two files in PEM form",
    });
  }
  return { key: resolve(directory, key), certificate: resolve(directory, certificate) };
}
