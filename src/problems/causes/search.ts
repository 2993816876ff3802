import { byHand, inBootLoader, inBuilder } from "../diagnosis.ts";
import { notSupportedYet, useOtherInitramfs } from "../not-supported.ts";
import { cause, listNames } from "./cause.ts";
import { unblock } from "./mount.ts";

/** What may be the reason that a device was not found; `detail` is the names that the words need. */
export interface SearchCause {
  readonly kind: keyof typeof SEARCH_CAUSES;
  /** The device that it is about, described; or a driver. */
  readonly subject: string;
  readonly detail: readonly string[];
  /** The parameter that names the device: "root=". */
  readonly parameter: string;
}

/** As the command line has to spell it. */
const quoted = (word: string) => (/\s/.test(word) ? `"${word}"` : word);

type Words = Omit<SearchCause, "kind">;

/** THE table of causes of a search in vain. */
export const SEARCH_CAUSES = {
  blacklist: cause<Words>(
    ({ subject, detail: [by = ""] }) => `the driver ${subject} is on a blacklist: ${by}`,
    ({ detail: [by = "", place = ""] }) => [unblock(by, place)],
  ),
  "driver-absent": cause<Words>(
    ({ subject, detail }) => `this image has no driver for the ${subject}: ${listNames(detail)}`,
    ({ detail: [module = ""] }) => [inBuilder(`add the module to the image: levain image --module ${module}`)],
  ),
  "firmware-absent": cause<Words>(
    ({ subject, detail: [file = ""] }) => `${subject} has not found its firmware ${file}`,
    ({ detail: [file = ""] }) => [inBuilder(`add the file to the image: levain image --firmware ${file}`)],
  ),
  "modules-untrusted": cause<Words>(
    () => "the kernel loads only modules that are signed with a key that it trusts, and has refused others",
    () => [
      inBuilder("build the image with the modules of this kernel's own package"),
      byHand("enrol the key of the modules with mokutil"),
    ],
  ),
  layer: cause<Words>(
    ({ subject, detail: [layer = ""] }) => `${notSupportedYet(layer)}: it is on ${subject}`,
    ({ detail: [layer = ""] }) => [useOtherInitramfs(layer)],
  ),
  ambivalent: cause<Words>(
    ({ subject }) => `${subject} is ambivalent, so its label and UUID do not count`,
    ({ subject, parameter, detail: [first = "TYPE"] }) => [
      ...(parameter === "root="
        ? [inBootLoader(`name its path and its type: root=${subject} rootfstype=${first}`)]
        : []),
      byHand("remove the stale signature with wipefs on another machine"),
    ],
  ),
  "other-label": cause<Words>(
    ({ subject, detail: [, limit] }) =>
      limit === undefined
        ? `${subject} has nearly that label`
        : `${subject} has nearly that label: its filesystem keeps at most ${limit} characters`,
    ({ parameter, detail: [spec = ""] }) => [inBootLoader(`name that in ${parameter}: ${quoted(spec)}`)],
  ),
  "other-uuid": cause<Words>(
    ({ subject }) => `${subject} is the only filesystem for a Linux root here, and may have been made again`,
    ({ parameter, detail: [spec = ""] }) => [inBootLoader(`if it is the right one, name it in ${parameter}: ${spec}`)],
  ),
  "other-tag": cause<Words>(
    ({ subject, detail: [spec = ""] }) => `${subject} is ${spec}`,
    ({ parameter, detail: [spec = ""] }) => [inBootLoader(`name that in ${parameter}: ${quoted(spec)}`)],
  ),
  moved: cause<Words>(
    ({ subject, detail: [path = ""] }) => `${path} depends on the disk's controller; ${subject} may be the same disk`,
    ({ parameter, detail: [, spec = ""] }) => [inBootLoader(`name it in ${parameter}: ${quoted(spec)}`)],
  ),
  incomplete: cause<Words>(
    ({ subject }) => subject,
    () => [byHand("attach the missing disk")],
  ),
  refused: cause<Words>(
    ({ subject }) => subject,
    () => [byHand("look at its members with `mdadm --examine` on another system")],
  ),
  unreadable: cause<Words>(
    ({ subject }) => `${subject} cannot be read, and may be the device`,
    () => [byHand("check the disk and its cable")],
  ),
  unsearched: cause<Words>(
    ({ subject, detail: [why = ""] }) => `${subject} could not be searched: ${why}`,
    ({ detail: [, ...drivers] }) =>
      drivers.length === 0
        ? []
        : [
            inBuilder(`add the module to the image, if this kernel has it: levain image --module ${drivers[0]}`),
            byHand("copy the file to a filesystem that this kernel knows"),
          ],
  ),
};
