import { LIVE_IMAGES } from "../../../boot/steps/init-causes.ts";
import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import type { Loader } from "../../../drivers/make-loader.ts";
import { mountDeviceBriefly } from "../../../filesystems/brief-mount.ts";
import { findDirectoryIn, findFileIn, resolveIn } from "../../../filesystems/resolve.ts";
import { readLastWrite } from "../../../formats/filesystems/ext.ts";
import { decodeText } from "../../../formats/text.ts";
import type { Machine } from "../../../machine/machine.ts";
import { listOrNone } from "../../../machine/small-files.ts";
import { orIfRefused } from "../../../problems/errors.ts";

/** What a person may recognise a filesystem by; every text is from the disk, and not safe to print. */
export interface Contents {
  /** PRETTY_NAME of its os-release. */
  readonly system: string | null;
  /** The newest kernel with modules, or in /boot. */
  readonly kernel: string | null;
  /** It has a program that may be its init. */
  readonly hasInit: boolean;
  /** The subvolume in which all that is; null for the top. */
  readonly subvolume: string | null;
  /** A file that may be the image of a root. */
  readonly image: string | null;
}

const OS_RELEASE = ["/etc/os-release", "/usr/lib/os-release"];
const INITS = ["/sbin/init", "/usr/sbin/init", "/usr/lib/systemd/systemd", "/etc/init", "/bin/init"];
/** The names that installers give to the subvolume of the root: openSUSE's has a snapshot below. */
const SUBVOLUMES = ["@", "root", "@rootfs"];
const MOST_BYTES = 4096;
const MOST_CHARACTERS = 40;
const LOOK_MS = 3000;

/** Looks into a filesystem, which is mounted read-only for a moment. Throws SyscallError if it cannot be mounted. */
export function lookInside(
  machine: Machine,
  drivers: Pick<Loader, "loadFilesystem">,
  { node, facts }: BlockDevice,
): Contents {
  return mountDeviceBriefly(
    { machine, drivers },
    { node, type: facts.type ?? "", timeoutMs: LOOK_MS },
    (directory, patient) => {
      const top = describe(patient, directory, null);
      if (top.hasInit || facts.type !== "btrfs") return top;
      const inSubvolume = SUBVOLUMES.filter((name) => findDirectoryIn(patient, directory, `/${name}`) !== null);
      const found = inSubvolume.map((name) => describe(patient, `${directory}/${name}`, name));
      return found.find(({ hasInit }) => hasInit) ?? top;
    },
  );
}

function describe(machine: Machine, root: string, subvolume: string | null): Contents {
  return {
    system: OS_RELEASE.map((path) => readName(machine, root, path)).find((name) => name !== null) ?? null,
    kernel: newestOf(listKernels(machine, root)),
    // Not a file: a link may lead to another filesystem, as /usr.
    hasInit: INITS.some((path) => resolveIn(machine, root, path) !== null),
    subvolume,
    image: LIVE_IMAGES.find((path) => findFileIn(machine, root, path) !== null) ?? null,
  };
}

function readName(machine: Machine, root: string, path: string): string | null {
  const file = findFileIn(machine, root, path);
  if (file === null) return null;
  const text = decodeText(withReader(machine, file, (reader) => reader.read(0, MOST_BYTES)));
  const [, quoted, bare] = /^PRETTY_NAME=(?:"([^"\n]*)"|([^\n]*))/m.exec(text) ?? [];
  return (quoted ?? bare ?? "").slice(0, MOST_CHARACTERS) || null;
}

function listKernels(machine: Machine, root: string): readonly string[] {
  const inDirectory = (path: string) => {
    const directory = findDirectoryIn(machine, root, path);
    return directory === null ? [] : listOrNone(machine, directory);
  };
  const inBoot = inDirectory("/boot").flatMap((name) => /^vmlinuz-(.+)/.exec(name)?.[1] ?? []);
  return [...inDirectory("/lib/modules"), ...inBoot].filter((name) => /^\d/.test(name));
}

function newestOf(releases: readonly string[]): string | null {
  const comparable = (release: string) => release.replace(/\d+/g, (digits) => digits.padStart(10, "0"));
  const newest = releases.toSorted((a, b) => (comparable(a) < comparable(b) ? 1 : -1))[0];
  return newest?.slice(0, MOST_CHARACTERS) ?? null;
}

/** Says when a filesystem was last written: "written yesterday"; null if it is not known. */
export function describeLastWrite(machine: Machine, { node, facts }: BlockDevice): string | null {
  const seconds = orIfRefused(() => withReader(machine, node, (reader) => readLastWrite(reader, facts.type)), null);
  return seconds === null ? null : `written ${describeTime(seconds * 1000, machine.timeOfDayMs())}`;
}

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 14;

/** A clock without a battery begins in the past: what is later than now has a date too. */
function describeTime(ms: number, nowMs: number): string {
  const days = Math.floor(nowMs / DAY_MS) - Math.floor(ms / DAY_MS);
  if (days < 0 || days > LONGEST_DAYS) return new Date(ms).toISOString().slice(0, 10);
  if (days < 2) return days === 0 ? "today" : "yesterday";
  return `${days} days ago`;
}
