import { alias, single, toggle } from "../parameter.ts";
import { parser } from "../parse.ts";
import * as values from "../values.ts";

const STORAGES = ["filesystem", "file", "directory"] as const;
const ENCRYPTIONS = ["none", "luks"] as const;

/** Returns a parser of some of a few names, separated by commas. */
const someOf = <const T extends string>(...names: readonly T[]) =>
  parser(
    `some of ${names.join(", ")}, separated by commas`,
    (text): readonly T[] | null => {
      const words = text.split(",");
      const found = words.flatMap((word) => names.find((name) => name === word) ?? []);
      return found.length === words.length ? found : null;
    },
    names,
  );

/** Names of volumes: labels, or names of files. */
const names = parser("names without a slash, separated by commas", (text): readonly string[] | null => {
  const all = text.split(",").filter((name) => name !== "");
  return all.length > 0 && all.every((name) => /^[^/\0]+$/.test(name) && name !== "." && name !== "..") ? all : null;
});

/** Which disks are searched. */
const media = parser(
  "removable or removable-usb",
  (text) => {
    if (text === "removable") return "removable" as const;
    return text === "removable-usb" ? ("usb" as const) : null;
  },
  ["removable", "removable-usb"],
);

/** Volumes that keep the changes of a live medium, by their names: live-boot(7) of Debian, casper(7) of Ubuntu. */
export const PERSISTENCE = {
  persistence: single(values.flag, {
    syntax: "persistence",
    bare: "1",
    fallback: "no",
    aliases: ["persistent", ...["nopersistence", "nopersistent"].map((name) => alias(name, () => "0"))],
    // As in live-boot: a boot loader may have it in all its entries.
    sticky: [false],
    text: "For boot=live: keep what persistence.conf says on volumes named persistence. For boot=casper: keep all changes on a volume named writable or casper-rw, and /home on one named home-rw. A volume is a filesystem with that label, a partition with that name, or an image file with that name at the top of a filesystem. levain uses those on the disk of the medium; if it has none, those on one other disk. nopersistence and nopersistent override it, wherever they stand.",
    example: "boot=live persistence",
  }),
  persistenceNames: single(names, {
    syntax: "persistence-label=NAME[,NAME…]",
    fallback: "persistence, live-rw, home-rw; with boot=casper: writable, casper-rw, home-rw",
    text: "The names of the persistence volumes.",
    example: "boot=live persistence persistence-label=work",
  }),
  persistenceSuffix: single(values.fileName, {
    syntax: "persistence-subtext=SUFFIX",
    text: "Append -SUFFIX to the names of the persistence volumes.",
    example: "boot=live persistence persistence-subtext=work",
  }),
  persistenceStorage: single(someOf(...STORAGES), {
    syntax: "persistence-storage=filesystem|file|directory[,…]",
    fallback: "filesystem,file",
    text: "What the persistence volumes are: filesystems and partitions with the name, image files with the name, or directories with the name, which need a filesystem such as ext4.",
    example: "boot=live persistence persistence-storage=file",
  }),
  persistencePath: single(values.directoryPath, {
    syntax: "persistence-path=PATH",
    aliases: ["persistent-path=PATH"],
    fallback: "the top of the filesystem",
    text: "The directory in which the image files or directories of persistence are.",
    example: "boot=live persistence persistence-path=work",
  }),
  persistenceMedia: single(media, {
    syntax: "persistence-media=removable|removable-usb",
    fallback: "any disk",
    text: "Search for persistence only on removable disks, or only on those on USB.",
    example: "boot=live persistence persistence-media=removable",
  }),
  persistenceReadOnly: toggle({
    syntax: "persistence-read-only",
    text: "Show what the persistence volumes hold, and write changes to memory.",
    example: "boot=live persistence persistence-read-only",
  }),
  persistenceEncryption: single(someOf(...ENCRYPTIONS), {
    syntax: "persistence-encryption=none|luks[,…]",
    fallback: "none",
    text: "Whether the persistence volumes may be unencrypted, in LUKS, or both. luks: levain unlocks the LUKS volumes with that name, and those on the disk of the medium.",
    example: "boot=live persistence persistence-encryption=luks",
  }),
};
