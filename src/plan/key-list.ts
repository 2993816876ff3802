import { type CommandLine, parseCommandLine } from "../parameters/cmdline.ts";

/** Where the builder lists the image's key files, paths with a NUL behind each: for the boot and for stage0. */
export const IMAGE_KEY_LIST = "/etc/levain.keys";

/** rd.luks.key=, luks.key=, cryptkey=; and an option of cryptopts= or the like. */
const IS_KEY = /key$/i;
const HAS_KEY = /(?:^|,)key(?:file)?=/i;

/** The paths of a list with a NUL behind each. */
export function parseKeyList(bytes: Uint8Array): readonly string[] {
  return new TextDecoder()
    .decode(bytes)
    .split("\0")
    .filter((path) => path.startsWith("/"));
}

/** All that may be a key file by the words of a command line, also of one with mistakes, or with rd.luks=0: a shell comes after those, too. */
export function findKeyPaths(cmdline: Uint8Array | string): readonly string[] {
  const { words }: CommandLine = parseCommandLine(cmdline);
  return words
    .filter(({ name, value }) => IS_KEY.test(name) || HAS_KEY.test(value ?? ""))
    .flatMap(({ value }) => (value ?? "").split(/[=:,]/))
    .filter((part) => part.startsWith("/") && !part.startsWith("/dev/"));
}

/** The third fields of a crypttab that are paths, of every line. */
export function findTabledKeys(crypttab: string): readonly string[] {
  return crypttab.split("\n").flatMap((line) => {
    const key = line.trim().split(/\s+/)[2] ?? "";
    return key.startsWith("/") && !key.startsWith("/dev/") ? [key] : [];
  });
}
