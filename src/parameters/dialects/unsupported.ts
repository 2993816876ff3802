import { notSupportedYet } from "../../problems/not-supported.ts";
import { printable } from "../../problems/report.ts";
import { normaliseName, type Word } from "../cmdline.ts";
import { isOtherFabric } from "../network/nvmf.ts";
import { isSupportedNetroot } from "../network/remote.ts";
import { isAsked, isShellTarget } from "../parameter.ts";
import { isOutsideRoot } from "../stack/submounts.ts";

interface Unsupported {
  /** A name, a prefix if it ends in a dot, or NAME=value if only that value is meant. */
  readonly name: string;
  /** The same normalised, without the value. */
  readonly key: string;
  /** What the boot lacks without it. */
  readonly means: string;
  /** True for the values that are meant; left out for all. */
  readonly isMeant: ((value: string | null) => boolean) | undefined;
}

const NO_CHANGES = "changes are lost at shutdown";
const NO_NETWORK = "the network is not set up";
const NO_OPENPGP =
  "OpenPGP signatures are not supported; use cms_verify=y, rd.image.digest=sha256:HASH or a root hash (dm-verity) instead";
const NO_DOWNLOAD = notSupportedYet("an image on the network");

/**
 * Parameters of levain and other programs that are not implemented yet and that a boot may depend on. `ignored`: the
 * boot goes on with a warning. The others are refused, because the boot would differ from what they ask for: always,
 * with boot=live or boot=casper, for a medium of Arch Linux, and without root= (Alpine's diskless mode).
 */
export const UNSUPPORTED = {
  ignored: [
    ...rows("encrypted devices need rd.luks.uuid= or rd.luks.partuuid=", "rd.luks.serial"),
    ...rows("the header of a LUKS volume says where its data begin", "cryptoffset"),
    ...rows("levain asks for the passphrase; see rd.luks.key=", "root_key root_keydev"),
    ...rows("the header has to be on the volume; see rd.luks.header=", "root_header root_headerdev"),
    ...rows("the volume is opened without discard; see rd.luks.options=", "root_trim"),
    ...rows("see resume= and rd.luks.uuid=", "crypt_swap"),
    ...rows("no SSH server waits for a passphrase", "dosshd"),
    ...rows("no device of firmware RAID is set up", "rd.dm.uuid"),
    ...rows(NO_CHANGES, "rd.live.overlay.persistent", isAsked),
    ...rows("changes are kept by overlayfs", "persistence-method", (value) => !/\boverlay\b/.test(value ?? "")),
    ...rows(
      "the initramfs has no systemd; see rd.break= and rd.emergency=",
      "rd.systemd.unit",
      (value) => !isShellTarget(value),
    ),
    ...rows("only filesystems below /sysroot are mounted", "rd.systemd.mount-extra", isOutsideRoot),
    ...rows(NO_NETWORK, "nbd wireguard"),
    ...rows(NO_NETWORK, "netroot", (value) => !isSupportedNetroot(value)),
    ...rows("only TCP connects to disks of NVMe over fabrics", "rd.nvmf.discover", isOtherFabric),
    ...rows(NO_NETWORK, "rd.iscsi.firmware rd.iscsi.ibft iscsi_firmware fcoe"),
  ],
  refused: [
    ...rows(`${notSupportedYet("OSTree")}, so another root would be booted`, "ostree"),
    ...rows(
      "the search for a live medium of Gentoo is not supported; name its image: root=live:LABEL=NAME rd.live.dir=/ rd.live.squashimg=image.squashfs",
      "cdroot",
    ),
  ],
  refusedLive: [
    ...rows(NO_DOWNLOAD, "ftpfs iscsi"),
    ...rows(NO_DOWNLOAD, "netboot", isNotNfs),
    ...rows(NO_OPENPGP, "verify", isAsked),
    ...rows(notSupportedYet("a root that is no image file on the medium"), "plainroot live-media-offset todisk"),
    ...rows(
      `${notSupportedYet("an ISO file inside the initramfs")}; an ISO file on a device is /dev/…/PATH`,
      "fromiso isofrom",
      (value) => !/^(?:\/dev\/.*)?$/.test(value ?? ""),
    ),
  ],
  refusedArchiso: [
    ...rows(NO_DOWNLOAD, "archiso_nbd_srv"),
    ...rows(NO_OPENPGP, "verify", isAsked),
    ...rows(notSupportedYet("an image for another architecture"), "arch", (value) => value === "i686"),
  ],
  refusedCasper: [
    ...rows(NO_DOWNLOAD, "netboot", isNotNfs),
    ...rows(notSupportedYet("a root that is no image file on the medium"), "live-media-offset todisk"),
  ],
  refusedRootless: [
    ...rows(
      notSupportedYet("Alpine's diskless mode, a root that apk installs into memory,"),
      "alpine_dev alpine_repo apkovl modloop ovl_dev",
    ),
  ],
} as const;

function isNotNfs(value: string | null): boolean {
  return value !== null && value !== "nfs";
}

function rows(means: string, names: string, isMeant?: Unsupported["isMeant"]): readonly Unsupported[] {
  return names.split(" ").map((name) => {
    const [own = "", only] = name.split("=");
    const isOnly = only === undefined ? isMeant : (value: string | null) => value === only;
    return { name, key: normaliseName(own), means, isMeant: isOnly };
  });
}

/** Whose parameters a command line has. */
export interface Dialect {
  readonly isLiveBoot: boolean;
  readonly isCasper: boolean;
  readonly isArchiso: boolean;
  readonly hasRoot: boolean;
}

/** Returns a line for each parameter that is ignored although the boot may depend on it, without its value: that may be a secret. */
export function warnOfUnsupported(words: readonly Word[]): readonly string[] {
  const lines = find(words, UNSUPPORTED.ignored).map(
    ([word, { means }]) => `${notSupportedYet(nameOf(word))}, ignoring it: ${means}`,
  );
  return [...new Set(lines)];
}

/** Returns a line for each parameter that must not be ignored. */
export function findRefused(words: readonly Word[], dialect: Dialect): readonly string[] {
  const { isLiveBoot, isCasper, isArchiso, hasRoot } = dialect;
  const isMedium = isLiveBoot || isCasper || isArchiso;
  const table = [
    ...UNSUPPORTED.refused,
    ...(isLiveBoot ? UNSUPPORTED.refusedLive : []),
    ...(isCasper ? UNSUPPORTED.refusedCasper : []),
    ...(isArchiso ? UNSUPPORTED.refusedArchiso : []),
    ...(hasRoot || isMedium ? [] : UNSUPPORTED.refusedRootless),
  ];
  return find(words, table).map(([word, { means }]) => `${nameOf(word)}: ${means}`);
}

/** True if a parameter is in one of the tables. */
export function isUnsupported(word: Word): boolean {
  return find([word], Object.values(UNSUPPORTED).flat()).length > 0;
}

/** Says what a boot lacks without the parameter `name`, whatever its value; null if it is in none of the tables. */
export function explainUnsupported(name: string): string | null {
  const row = Object.values(UNSUPPORTED).flat().find(isNamed(name));
  return row?.means ?? null;
}

function find(words: readonly Word[], table: readonly Unsupported[]): readonly (readonly [Word, Unsupported])[] {
  return words.flatMap((word) => {
    const row = table.filter(isNamed(word.name)).find(({ isMeant }) => isMeant?.(word.value) ?? true);
    return row === undefined ? [] : [[word, row] as const];
  });
}

/** Returns a test for the rows of a parameter. */
function isNamed(name: string): (row: Unsupported) => boolean {
  const given = normaliseName(name);
  return ({ key }) => (key.endsWith(".") ? given.startsWith(key) : given === key);
}

function nameOf(word: Word): string {
  return printable(word.value === null ? word.name : `${word.name}=`);
}
