import { printable } from "../problems/report.ts";
import { normaliseName, type Word } from "./cmdline.ts";
import { isAsked, isOverlayDevice, isShellTarget } from "./parameter.ts";

interface Unsupported {
  /** A name, everything that begins with it where it ends in a dot, or NAME=value where only that value is meant. */
  readonly name: string;
  /** What the boot goes without. */
  readonly means: string;
  /** The values that are meant, where not all are. */
  readonly isMeant?: (value: string | null) => boolean;
}

/**
 * Parameters of levain and other programs on which a boot may depend and that are not implemented yet: ignored, but
 * never silently.
 */
const IGNORED: readonly Unsupported[] = [
  ...rows("encrypted devices are found by rd.luks.uuid= or rd.luks.partuuid=", "rd.luks.serial"),
  ...rows("the header of a LUKS volume says where its data begin", "cryptoffset"),
  ...rows("no RAID or LVM device is set up", "rd.md.uuid rd.lvm.vg rd.lvm.lv rd.dm.uuid"),
  ...rows("one path to a disk is used, not all", "rd.multipath", isAsked),
  ...rows("changes are lost at the end", "persistence rd.overlay.policy rd.overlay.reset"),
  ...rows("changes are lost at the end", "cow_device cow_label cow_directory rd.live.overlay.reset", isAsked),
  ...rows("changes are lost at the end", "rd.live.overlay", isOverlayDevice),
  ...rows("the overlay is writable", "rd.overlay.readonly"),
  ...rows("the overlay is writable", "rd.live.overlay.readonly", isAsked),
  ...rows("only the whole root is overlaid", "rd.union"),
  ...rows("the image is not checked", "rd.live.check verify-checksums checksum integrity-check", isAsked),
  ...rows(
    "there is no systemd before the root; see rd.break= and rd.emergency=",
    "rd.systemd.unit",
    (value) => !isShellTarget(value),
  ),
  ...rows("only the root and its layers are mounted before init", "rd.systemd.mount-extra"),
  ...rows("the network is not set up", "ip boot=nfs nfsroot netroot rd.neednet rd.aoe aoe nbd nbdroot wireguard"),
  ...rows("the network is not set up", "rd.iscsi. iscsi_initiator rd.nvmf. fcoe"),
  ...rows("only levain.toml and the command line are read", "rd.config"),
  ...rows("/usr is not mounted before init", "mount.usr"),
  ...rows("a hibernated system is not resumed", "resume"),
];

/** Parameters that ask for what this program cannot do yet, and without which the boot would be another one. */
const REFUSED: readonly Unsupported[] = [
  ...rows("dm-verity is not supported yet, and the root would not be verified", "roothash usrhash rd.verity."),
  ...rows("a root in memory with the /usr of the disk is not supported yet", "systemd.volatile=yes"),
  ...rows(
    "an overlay with a device of its own is not supported yet, and changes would be lost",
    "overlayroot",
    (value) => /^(?:crypt|device)\b/.test(value ?? ""),
  ),
];

/** Words of live-boot, which only mean this with boot=live. */
const REFUSED_LIVE: readonly Unsupported[] = [
  ...rows("an image is not fetched over the network yet", "fetch httpfs ftpfs netboot iscsi"),
  ...rows("dm-verity is not supported yet, and the image would not be verified", "dm-verity-root-hash"),
  ...rows(
    "dm-verity is not supported yet, and the image would not be verified",
    "dm-verity-enforce-roothash-signature",
  ),
  ...rows("only images on the medium itself are supported", "plainroot live-media-offset todisk"),
  ...rows(
    "an ISO file inside of the initramfs is not supported; of a device: /dev/…/PATH",
    "fromiso isofrom",
    (value) => !/^(?:\/dev\/.*)?$/.test(value ?? ""),
  ),
];

/** Words of archiso, which only mean this for a medium of Arch Linux. */
const REFUSED_ARCHISO: readonly Unsupported[] = [
  ...rows("an image is not fetched over the network yet", "archiso_http_srv archiso_nfs_srv archiso_nbd_srv"),
  ...rows("the signature of the image is not checked yet", "verify cms_verify", isAsked),
  ...rows("an image of another kind of machine is not supported", "arch", (value) => value === "i686"),
];

/** Words that say without a root= where the root is: of Alpine Linux, its diskless mode; of Ubuntu, its live media. */
const REFUSED_ROOTLESS: readonly Unsupported[] = [
  ...rows(
    "Alpine's diskless mode, a root that apk installs into memory, is not supported",
    "alpine_dev alpine_repo apkovl modloop ovl_dev",
  ),
  ...rows("casper is not supported yet; see root=live:, rd.live.dir= and rd.live.squashimg=", "boot=casper"),
];

function rows(means: string, names: string, isMeant?: Unsupported["isMeant"]): readonly Unsupported[] {
  return names.split(" ").map((name) => ({ name, means, ...(isMeant === undefined ? {} : { isMeant }) }));
}

/** What decides whose words they are. */
export interface Dialect {
  readonly isLiveBoot: boolean;
  readonly isArchiso: boolean;
  readonly hasRoot: boolean;
}

/** A line for each word that is ignored although the boot may depend on it, without its value: that may be a secret. */
export function warnOfUnsupported(words: readonly Word[]): readonly string[] {
  const lines = find(words, IGNORED).map(
    ([word, { means }]) => `${nameOf(word)} is not supported yet, ignoring: ${means}`,
  );
  return [...new Set(lines)];
}

/** A line for each word that must not be ignored. */
export function findRefused(words: readonly Word[], { isLiveBoot, isArchiso, hasRoot }: Dialect): readonly string[] {
  const table = [
    ...REFUSED,
    ...(isLiveBoot ? REFUSED_LIVE : []),
    ...(isArchiso ? REFUSED_ARCHISO : []),
    ...(hasRoot || isLiveBoot || isArchiso ? [] : REFUSED_ROOTLESS),
  ];
  return find(words, table).map(([word, { means }]) => `${nameOf(word)}: ${means}`);
}

function find(words: readonly Word[], table: readonly Unsupported[]): readonly (readonly [Word, Unsupported])[] {
  return words.flatMap((word) => {
    const row = table.find((candidate) => isMeant(candidate, word));
    return row === undefined ? [] : [[word, row] as const];
  });
}

function isMeant({ name, isMeant: isValueMeant }: Unsupported, word: Word): boolean {
  const [wanted = "", value] = name.split("=");
  const given = normaliseName(word.name);
  const isNamed = name.endsWith(".") ? given.startsWith(normaliseName(wanted)) : given === normaliseName(wanted);
  return isNamed && (value === undefined || value === word.value) && (isValueMeant?.(word.value) ?? true);
}

function nameOf(word: Word): string {
  return printable(word.value === null ? word.name : `${word.name}=`);
}

const ALL_REFUSED = [...REFUSED, ...REFUSED_LIVE, ...REFUSED_ARCHISO, ...REFUSED_ROOTLESS];

/** True where a word is in one of the tables. */
export function isUnsupported(word: Word): boolean {
  return find([word], [...IGNORED, ...ALL_REFUSED]).length > 0;
}

const namesOf = (table: readonly Unsupported[]) => [...new Set(table.map(({ name }) => name))];

/** The names of the tables, for the documentation. */
export const UNSUPPORTED_NAMES = {
  ignored: namesOf(IGNORED),
  refused: namesOf(REFUSED),
  refusedLive: namesOf(REFUSED_LIVE),
  refusedArchiso: namesOf(REFUSED_ARCHISO),
  refusedRootless: namesOf(REFUSED_ROOTLESS),
};
