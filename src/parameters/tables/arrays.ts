import { parseIntegrityVolume } from "../crypt/integrity.ts";
import { alias, list, single, toggle } from "../parameter.ts";
import { matching, parser } from "../parse.ts";
import { readFlag } from "../values.ts";

/** A UUID of 32 hexadecimal digits, as mdadm groups them or with dashes, in the form of RFC 9562. */
export const arrayUuid = parser("the UUID of an array: 32 hexadecimal digits", (text) => {
  const digits = text.toLowerCase().replace(/[:-]/g, "");
  return /^[0-9a-f]{32}$/.test(digits) ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") : null;
});

/** The name of an array by its UUID, as in `arrayUuid`. */
export interface ArrayName {
  readonly name: string;
  readonly uuid: string;
}

const arrayName = parser("NAME:UUID, with the UUID of an array", (text): ArrayName | null => {
  const [, name, digits = ""] = /^(?:\/dev\/(?:md\/)?)?([\w+.@-]{1,64}):(.*)$/.exec(text) ?? [];
  if (name === undefined || name === "." || name === "..") return null;
  return { name, uuid: arrayUuid(digits) };
});

const lvmGroup = matching("the name of a volume group", /^(?!-)[\w+.-]{1,127}$/);
/** With or without /dev/ in front; returns "GROUP/VOLUME". */
const lvmVolume = parser("GROUP/VOLUME", (text) => {
  const name = text.replace(/^\/dev\//, "");
  return /^(?!-)[\w+.-]{1,127}\/(?!-)[\w+.-]{1,127}$/.test(name) ? name : null;
});

/** dracut's "default" asks for multipath without a configuration file, which levain does not require. */
const yesOrDefault = parser("yes, no or default", (text) => (text === "default" ? true : readFlag(text)));

/** Arrays of Linux RAID (md), volumes of LVM, and devices with checksums. */
export const ARRAYS = {
  raid: toggle({
    syntax: "rd.md=yes|no",
    fallback: "yes",
    text: "rd.md=0: start no array of Linux RAID.",
    example: "rd.md=0",
  }),
  raidNames: list(arrayName, {
    syntax: "rd.md.name=NAME:UUID",
    fallback: "the name or number in the superblock, else a free number from md127 down",
    text: "The name of the array with this UUID: it becomes /dev/md0 if NAME is md0, and otherwise gets the link /dev/md/NAME. May be given several times.",
    example: "rd.md.name=md0:0f6f4b5c:1d2e3f40:51627384:95a6b7c8",
  }),
  raidUuids: list(arrayUuid, {
    syntax: "rd.md.uuid=UUID",
    fallback: "every array whose members are present",
    text: "Start only the array with this UUID, as mdadm or blkid prints it. May be given several times. An array with a missing member is started when the member has been waited for: 30 seconds, or two thirds of rd.timeout=.",
    example: "rd.md.uuid=0f6f4b5c:1d2e3f40:51627384:95a6b7c8",
  }),
  integrity: list(parseIntegrityVolume, {
    syntax: "rd.integrity=NAME:DEVICE[,OPTION…]",
    fallback: "the lines of /etc/integritytab of the initramfs",
    text: "Open DEVICE, which `integritysetup format` made, as /dev/mapper/NAME: the kernel compares each sector with its checksum (dm-integrity). Options of integritytab(5): integrity-algorithm=crc32c|crc32|xxhash64|sha1|sha256|hmac-sha256, mode=journal|bitmap|direct, allow-discards, journal-watermark=PERCENT, journal-commit-time=MILLISECONDS, data-device=DEVICE, and key=PATH, the file of the initramfs with the key of an HMAC. May be given several times.",
    example:
      "rd.integrity=safe:PARTUUID=5d4b1808-be76-774d-88af-03c4c3a41761,integrity-algorithm=sha256 root=/dev/mapper/safe",
  }),
  lvm: toggle({
    syntax: "rd.lvm=yes|no",
    fallback: "yes",
    text: "rd.lvm=0: activate no logical volume of LVM.",
    example: "rd.lvm=0",
  }),
  lvmGroups: list(lvmGroup, {
    syntax: "rd.lvm.vg=GROUP",
    fallback: "the volume groups that are needed to find the root",
    text: "Activate logical volumes of this volume group only. May be given several times, also with rd.lvm.lv=.",
    example: "rd.lvm.vg=vg0",
  }),
  lvmVolumes: list(lvmVolume, {
    syntax: "rd.lvm.lv=GROUP/VOLUME",
    fallback: "the volumes that are needed to find the root",
    text: "Activate this logical volume only. May be given several times. A volume that root= names by its path is always activated.",
    example: "rd.lvm.lv=vg0/root",
  }),
  lvmPartial: toggle({
    syntax: "rd.lvm.partial=yes|no",
    fallback: "no",
    text: "Activate a RAID volume of LVM without a physical volume that is missing, if its redundancy allows that, when the disk has been waited for: 30 seconds, or two thirds of rd.timeout=. A volume that needs the missing disk is never activated.",
    example: "rd.lvm.partial",
  }),
  multipath: single(yesOrDefault, {
    syntax: "rd.multipath=yes|no|default",
    bare: "1",
    fallback: "yes",
    text: "rd.multipath=0: use one path to each disk, although the image has multipath, which makes one device of them.",
    example: "rd.multipath=0",
    aliases: [alias("nompath", (value) => (value === null ? "0" : undefined))],
  }),
};
