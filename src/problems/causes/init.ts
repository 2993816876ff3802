import { byHand, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import { notSupportedYet, useOtherInitramfs } from "../not-supported.ts";
import { cause, isPlainWord, listNames } from "./cause.ts";

/** What a root without a usable init is instead; `detail` is the names that the words need. */
export interface InitCause {
  readonly kind: keyof typeof INIT_CAUSES;
  readonly detail: readonly string[];
}

type Detail = Pick<InitCause, "detail">;

/** THE table of causes of a missing init. */
export const INIT_CAUSES = {
  subvolume: cause<Detail>(
    ({ detail }) => `an init is in ${detail.length === 1 ? "the subvolume" : "the subvolumes"} ${listNames(detail)}`,
    ({ detail: [first = ""] }) => [
      inBootLoader(`name the subvolume: rootflags=subvol=${first}`),
      ...(isPlainWord(first) ? [inShell(`try that with \`levain retry rootflags=subvol=${first}\``)] : []),
    ],
  ),
  directory: cause<Detail>(
    ({ detail }) =>
      `an init is in ${detail.length === 1 ? "the directory" : "the directories"} ${listNames(detail)}, but a root begins at the top of a filesystem`,
    () => [inBuilder("move the content of that directory to the top of the filesystem")],
  ),
  "separate-usr": cause<Detail>(
    ({ detail: [device] }) =>
      `/usr is empty${device === undefined ? "" : `, and ${device}, from which /etc/fstab mounts it, was not mounted`}`,
    ({ detail: [device = "DEVICE"] }) => [
      inBootLoader(`name its device: mount.usr=${device}`),
      ...(isPlainWord(device) ? [inShell(`try that with \`levain retry mount.usr=${device}\``)] : []),
    ],
  ),
  "old-root": cause<Detail>(
    ({ detail: [source = ""] }) => `its /etc/fstab says that the root is ${source}: it may be an old root, or a copy`,
    ({ detail: [source = ""] }) => [
      inBootLoader(`name that in root=: ${source}`),
      ...(isPlainWord(source) ? [inShell(`try that with \`levain retry root=${source}\``)] : []),
    ],
  ),
  ostree: cause<Detail>(
    () => `it is a tree of OSTree: ${notSupportedYet("ostree")}`,
    () => [useOtherInitramfs("OSTree")],
  ),
  "live-image": cause<Detail>(
    ({ detail: [path = ""] }) => `it is a live medium: the root is in the image ${path}`,
    ({ detail: [path = ""] }) => [inBootLoader(`boot the image: rd.image=${path}`)],
  ),
  empty: cause<Detail>(
    () => "it is empty",
    () => [byHand("install the system on it, or copy its files there")],
  ),
  homes: cause<Detail>(({ detail }) => `it holds the home directories of users: ${listNames(detail, 3)}`),
  "boot-partition": cause<Detail>(({ detail }) => `it looks like a boot partition: it holds ${listNames(detail, 3)}`),
};
