import { printable } from "../report.ts";
import { normaliseName, type Word } from "./cmdline.ts";

interface Unsupported {
  /** A name, everything that begins with it where it ends in a dot, or NAME=value where only that value is meant. */
  readonly name: string;
  /** What the boot goes without. */
  readonly means: string;
}

/**
 * Parameters of levain and other programs on which a boot may depend and that are not implemented yet: ignored, but
 * never silently.
 */
const IGNORED: readonly Unsupported[] = [
  ...rows("no encrypted device is opened", "rd.luks.uuid rd.luks.name rd.luks.key rd.luks.header rd.luks.data"),
  ...rows("no encrypted device is opened", "cryptdevice cryptkey cryptroot crypto rd.crypt.plain"),
  ...rows("no RAID or LVM device is set up", "rd.md.uuid rd.auto rd.lvm.vg rd.lvm.lv"),
  ...rows(
    "use root=live: or rd.image=",
    "boot=live boot=casper live-media-path archisobasedir archisolabel archisodevice",
  ),
  ...rows("use root=live: or rd.image=", "iso-scan/filename findiso img_loop"),
  ...rows("changes are lost at the end", "persistence rd.overlay.policy rd.overlay.reset"),
  ...rows("the overlay is writable", "rd.overlay.readonly"),
  ...rows("there is only one lower layer", "rd.layer"),
  ...rows("only the whole root is overlaid", "rd.union"),
  ...rows("the image is not checked", "rd.live.check verify-checksums checksum"),
  ...rows("the network is not set up", "ip boot=nfs nfsroot rd.aoe"),
  ...rows("only levain.toml and the command line are read", "rd.config"),
  ...rows("/usr is not mounted before init", "mount.usr"),
  ...rows("a hibernated system is not resumed", "resume"),
];

/** Parameters that ask for a check that this program cannot do yet: to boot without it would be to lie. */
const REFUSED = rows(
  "dm-verity is not supported yet, and the root would not be verified",
  "roothash usrhash rd.verity.",
);

function rows(means: string, names: string): readonly Unsupported[] {
  return names.split(" ").map((name) => ({ name, means }));
}

/** A line for each word that is ignored although the boot may depend on it, without its value: that may be a secret. */
export function warnOfUnsupported(words: readonly Word[]): readonly string[] {
  const lines = find(words, IGNORED).map(
    ([word, { means }]) => `${nameOf(word)} is not supported yet, ignoring: ${means}`,
  );
  return [...new Set(lines)];
}

/** A line for each word that must not be ignored. */
export function findRefused(words: readonly Word[]): readonly string[] {
  return find(words, REFUSED).map(([word, { means }]) => `${nameOf(word)}: ${means}`);
}

function find(words: readonly Word[], table: readonly Unsupported[]): readonly (readonly [Word, Unsupported])[] {
  return words.flatMap((word) => {
    const row = table.find((candidate) => isMeant(candidate, word));
    return row === undefined ? [] : [[word, row] as const];
  });
}

function isMeant({ name }: Unsupported, word: Word): boolean {
  const [wanted = "", value] = name.split("=");
  const given = normaliseName(word.name);
  const isNamed = name.endsWith(".") ? given.startsWith(normaliseName(wanted)) : given === normaliseName(wanted);
  return isNamed && (value === undefined || value === word.value);
}

function nameOf(word: Word): string {
  return printable(word.value === null ? word.name : `${word.name}=`);
}

/** True where a word is in one of the tables. */
export function isUnsupported(word: Word): boolean {
  return find([word], [...IGNORED, ...REFUSED]).length > 0;
}

/** The names of both tables, for the documentation. */
export const UNSUPPORTED_NAMES = { ignored: IGNORED.map(({ name }) => name), refused: REFUSED.map(({ name }) => name) };
