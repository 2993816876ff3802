import { mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { attempt, isFile } from "../host.ts";
import type { ImageOptions } from "../image/options.ts";

const CRYPTTAB = "/etc/crypttab";
/** The lines of it that the root needs. */
const OWN_CRYPTTAB = "/var/lib/levain/crypttab";

/**
 * Adds the lines of /etc/crypttab for the volumes that the root of this machine lies in, unless the options have a crypttab. Others
 * are opened by the booted system: their keys may be on the root. Throws BootError.
 */
export function addCrypttab(root: string, options: ImageOptions): ImageOptions {
  const isGiven = options.additions.some(({ destination }) => [CRYPTTAB, "/etc"].includes(destination));
  if (root !== "/" || isGiven || !isFile(CRYPTTAB)) return options;
  const text = attempt(`cannot read ${CRYPTTAB}`, () => readFileSync(CRYPTTAB, "utf8"), "run the command as root");
  const lines = selectLines(text, new Set(listCryptNames(findRootDevice())));
  if (lines === "") return options;
  attempt(`cannot write ${OWN_CRYPTTAB}`, () => {
    mkdirSync(dirname(OWN_CRYPTTAB), { recursive: true });
    writeFileSync(OWN_CRYPTTAB, lines, { mode: 0o600 });
  });
  return { ...options, additions: [...options.additions, { source: OWN_CRYPTTAB, destination: CRYPTTAB }] };
}

/** Returns the lines of a crypttab whose volumes have these names. */
export function selectLines(text: string, names: ReadonlySet<string>): string {
  const lines = text.split("\n").filter((line) => names.has(line.trim().split(/\s+/, 1)[0] ?? ""));
  return lines.map((line) => `${line}\n`).join("");
}

/** Returns the directory in /sys of the device that / is on, "" if it is on none. btrfs hides the number of its device, not its path. */
function findRootDevice(): string {
  const { dev } = statSync("/", { bigint: true });
  const number = `${(dev >> 8n) & 0xfffn}:${(dev & 0xffn) | ((dev >> 12n) & 0xffffff00n)}`;
  const source = / \/ .* - \S+ (\/dev\/\S+)/.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
  for (const place of [
    `/sys/dev/block/${number}`,
    ...(source === undefined ? [] : [`/sys/class/block/${nameOf(source)}`]),
  ]) {
    try {
      return realpathSync(place);
    } catch {
      // not a block device of this name
    }
  }
  return "";
}

function nameOf(device: string): string {
  try {
    return basename(realpathSync(device));
  } catch {
    return basename(device);
  }
}

/** Returns the names of the encrypted volumes that a device of /sys lies in. */
export function listCryptNames(device: string): readonly string[] {
  const read = (name: string) => {
    try {
      return readFileSync(join(device, name), "utf8").trim();
    } catch {
      return ""; // no device of device mapper
    }
  };
  const own = read("dm/uuid").startsWith("CRYPT-") ? [read("dm/name")] : [];
  return [...own, ...listSlaves(device).flatMap(listCryptNames)];
}

function listSlaves(device: string): readonly string[] {
  try {
    return readdirSync(join(device, "slaves")).map((name) => realpathSync(join(device, "slaves", name)));
  } catch {
    return []; // a disk, or a partition
  }
}
