import type { MountFlag } from "../machine/mounts.ts";

/** What mount(2) takes: its flags, and the filesystem's own options. */
export interface MountOptions {
  readonly flags: readonly MountFlag[];
  /** Comma-separated. */
  readonly options: string;
}

/**
 * THE table of options that are not the filesystem's own: the names of mount(8) (libmount/src/optmap.c of util-linux), each
 * with the flags that it sets, or with "-" clears. user, users, owner and group imply flags that later options may clear.
 */
const WORDS: Readonly<Record<string, string>> = {
  ...sets("ro nosuid nodev noexec sync dirsync silent mand noatime nodiratime iversion"),
  ...sets("relatime strictatime lazytime nosymfollow"),
  rw: "-ro",
  suid: "-nosuid",
  dev: "-nodev",
  exec: "-noexec",
  async: "-sync",
  loud: "-silent",
  nomand: "-mand",
  atime: "-noatime",
  diratime: "-nodiratime",
  noiversion: "-iversion",
  norelatime: "-relatime",
  nostrictatime: "-strictatime",
  nolazytime: "-lazytime",
  symfollow: "-nosymfollow",
  ...Object.fromEntries(["user", "users"].map((name) => [name, "noexec nosuid nodev"])),
  ...Object.fromEntries(["owner", "group"].map((name) => [name, "nosuid nodev"])),
};

/**
 * What mount(8) keeps to itself: who may mount, when, and by which program; comments; how mounts propagate, which systemd
 * sets; and loop, which a device does not need.
 */
const NOT_FOR_THE_KERNEL =
  /^(?:|defaults|(?:no)?auto|nofail|_netdev|nousers?|noowner|nogroup|loop|sub|r?(?:unbindable|private|slave|shared)|(?:user|comment|loop|u?helper)=.*|[xX]-.*)$/s;

/** Options by which mount(8) would mount something else than the device, a part of its tree or with other owners; without them the mount would be another one. */
const OTHER_MOUNTS = /^(?:verity\.|offset=|sizelimit=|encryption=|X-mount\.(?:subdir|idmap)=|(?:remount|r?bind|move)$)/;

/** Splits the mixed options of fstab and rootflags= as mount(8) does, for mount(2): the later of two that contradict each other counts. Commas in double quotes are part of a value (a SELinux context). */
export function splitMountOptions(text: string): MountOptions {
  const flags = new Set<MountFlag>();
  const options: string[] = [];
  for (const word of splitWords(text)) {
    const own = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (own !== undefined) apply(flags, own);
    else if (!NOT_FOR_THE_KERNEL.test(word)) options.push(word);
  }
  return { flags: [...flags], options: options.join(",") };
}

/** Returns the first option that mount(2) cannot carry out; null if there is none. */
export function findForeignOption(text: string): string | null {
  return splitWords(text).find((word) => OTHER_MOUNTS.test(word)) ?? null;
}

function splitWords(text: string): readonly string[] {
  return text.match(/(?:[^,"]|"[^"]*(?:"|$))+/g) ?? [];
}

function apply(flags: Set<MountFlag>, changes: string): void {
  for (const change of changes.split(" ")) {
    // The table has only names of flags; a test checks that.
    if (change.startsWith("-")) flags.delete(change.slice(1) as MountFlag);
    else flags.add(change as MountFlag);
  }
}

function sets(names: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, name]));
}
