import { printable } from "../report.ts";
import { normaliseName, type Word } from "./cmdline.ts";

interface Unsupported {
  /** The name, or everything that begins with it where it ends in a dot. */
  readonly name: string;
  /** Values with which a boot depends on it; every value where it is left out. */
  readonly when?: RegExp;
  /** What the boot goes without. */
  readonly means: string;
}

const OPENERS = "no encrypted, RAID or LVM device is set up";
const IMAGES = "use root=live: or rd.image=";
const PERSISTENT = "changes are lost at the end";
const NETWORK = "the network is not set up";

/** Parameters of levain and other programs on which a boot may depend and that are not implemented yet: ignored, but never silently. */
const UNSUPPORTED: readonly Unsupported[] = [
  ...["rd.luks.uuid", "rd.luks.name", "rd.luks.key", "rd.luks.header", "rd.luks.data", "cryptdevice", "cryptkey"],
  ...["cryptroot", "crypto", "rd.crypt.plain", "rd.md.uuid", "rd.auto", "rd.lvm.vg", "rd.lvm.lv"],
]
  .map((name): Unsupported => ({ name, means: OPENERS }))
  .concat([
    { name: "boot", when: /^(?:live|casper)$/, means: IMAGES },
    ...["live-media-path", "archisobasedir", "archisolabel", "archisodevice", "iso-scan/filename", "findiso", "img_loop"].map(
      (name) => ({ name, means: IMAGES }),
    ),
    { name: "persistence", means: PERSISTENT },
    { name: "rd.overlay.policy", means: PERSISTENT },
    { name: "rd.overlay.reset", means: PERSISTENT },
    { name: "rd.overlay.readonly", means: "the overlay is writable" },
    { name: "rd.layer", means: "there is only one lower layer" },
    { name: "rd.union", means: "only the whole root is overlaid" },
    { name: "rd.live.check", means: "the image is not checked" },
    { name: "verify-checksums", means: "the image is not checked" },
    { name: "checksum", means: "the image is not checked" },
    { name: "boot", when: /^nfs$/, means: NETWORK },
    ...["ip", "nfsroot", "rd.aoe"].map((name) => ({ name, means: NETWORK })),
    { name: "rd.config", means: "only levain.toml and the command line are read" },
    { name: "mount.usr", means: "/usr is not mounted before init" },
    { name: "resume", means: "a hibernated system is not resumed" },
  ]);

/** Parameters that ask for a check that this program cannot do yet: to boot without it would be to lie. */
const REFUSED: readonly Unsupported[] = ["roothash", "usrhash", "rd.verity."].map((name) => ({
  name,
  means: "dm-verity is not supported yet, and the root would not be verified",
}));

/** A line for each word that is ignored although the boot may depend on it, without its value: that may be a secret. */
export function warnOfUnsupported(words: readonly Word[]): readonly string[] {
  const lines = find(words, UNSUPPORTED).map(([word, { means }]) => `${nameOf(word)} is not supported yet, ignoring: ${means}`);
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

function isMeant({ name, when }: Unsupported, word: Word): boolean {
  const [wanted, given] = [normaliseName(name), normaliseName(word.name)];
  const isNamed = wanted.endsWith(".") ? given.startsWith(wanted) : given === wanted;
  return isNamed && (when === undefined || when.test(word.value ?? ""));
}

function nameOf(word: Word): string {
  return printable(word.value === null ? word.name : `${word.name}=`);
}

/** True where a word is in one of the tables. */
export function isUnsupported(word: Word): boolean {
  return find([word], [...UNSUPPORTED, ...REFUSED]).length > 0;
}

/** The names of both tables, for the documentation; a dot at the end stands for everything that begins so. */
export const UNSUPPORTED_NAMES = {
  ignored: [...new Set(UNSUPPORTED.map(({ name, when }) => (when === undefined ? name : `${name}=${when.source.replace(/[\^$?:()]/g, "")}`)))],
  refused: REFUSED.map(({ name }) => name),
};
