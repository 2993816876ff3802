import { type CommandLine, parseCommandLine } from "../parameters/cmdline.ts";

/** The list of the image's key files that the builder writes for the boot and for stage0: paths, each followed by a NUL. */
export const IMAGE_KEY_LIST = "/etc/levain.keys";

/** rd.luks.key=, luks.key=, cryptkey=, and the options of cryptopts= and the like. */
const IS_KEY = /key$/i;
const HAS_KEY = /(?:^|,)key(?:file)?=/i;

/** Parses a list of paths that are each followed by a NUL. */
export function parseKeyList(bytes: Uint8Array): readonly string[] {
  return new TextDecoder()
    .decode(bytes)
    .split("\0")
    .filter((path) => path.startsWith("/"));
}

/** Returns all paths that may be key files on a command line, also on one with mistakes or with rd.luks=0, because a shell can follow those too. */
export function findKeyPaths(cmdline: Uint8Array | string): readonly string[] {
  const { words }: CommandLine = parseCommandLine(cmdline);
  return words
    .filter(({ name, value }) => IS_KEY.test(name) || HAS_KEY.test(value ?? ""))
    .flatMap(({ value }) => (value ?? "").split(/[=:,]/))
    .filter((part) => /^\/.*[^/]$/s.test(part) && !part.startsWith("/dev/"));
}

/** Returns the third field of every line of a crypttab, if it is a path. */
export function findTabledKeys(crypttab: string): readonly string[] {
  return crypttab.split("\n").flatMap((line) => {
    const key = (line.trim().split(/\s+/)[2] ?? "").replace(/:\/$/, ""); // dracut's PATH:/ is a file of the image
    return key.startsWith("/") && !key.startsWith("/dev/") ? [key] : [];
  });
}
