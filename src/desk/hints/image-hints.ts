import { existsSync } from "node:fs";
import { CHECKER_PLACES } from "../../filesystems/check.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { BootError } from "../../problems/errors.ts";
import { printable, sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { isFile } from "../host.ts";
import type { Addition } from "../image/addition.ts";
import { type ConvertedKeymap, convertKeymap } from "../image/keymap.ts";
import type { ImageOptions } from "../image/options.ts";
import { asksForPassphrase } from "../modules/host-modules.ts";
import { findHints } from "./find-hints.ts";
import { type Hints, readHintsFile } from "./schema.ts";

/** Checkers that do nothing: the drivers of these filesystems repair them when they are mounted (fsck.xfs(8), fsck.btrfs(8)). */
const IDLE_CHECKERS: ReadonlySet<string> = new Set(["xfs", "btrfs", "f2fs", "bcachefs"]);

/** What an image for one machine has besides its modules. */
export interface HostImage {
  readonly hints: Hints;
  readonly keymap: ConvertedKeymap | null;
  /** The text of its /etc/crypttab; null if it has none, or one that was added. */
  readonly crypttab: string | null;
  /** The paths of programs: what checks the root, and multipath. */
  readonly programs: readonly string[];
  /** The configuration of multipath. */
  readonly additions: readonly Addition[];
}

/** Reads or finds the hints that --host asks for; null without it. Throws BootError. */
export function prepareHost(
  { host, keymaps, parameters }: Pick<ImageOptions, "host" | "keymaps" | "parameters">,
  added: { readonly crypttab: string | null; readonly hasFile: (path: string) => boolean },
  voice: Voice,
): HostImage | null {
  if (host === null) return null;
  const hints = host.file === null ? findHints() : readHintsFile(host.file);
  const hasKeymap = keymaps.length > 0 || parameters.some((text) => text.startsWith("rd.vconsole.keymap="));
  const paths = hostMultipath(hints, voice);
  return {
    hints,
    keymap: hasKeymap ? null : hostKeymap(hints, voice),
    crypttab: added.crypttab === null ? hostCrypttab(hints, added.hasFile, voice) : null,
    programs: [...hostCheckers(hints, voice), ...(paths === null ? [] : [paths])],
    additions:
      paths === null ? [] : MULTIPATH_FILES.filter(existsSync).map((path) => ({ source: path, destination: path })),
  };
}

/** Returns the keymap of a machine where a passphrase is typed. Warns if it cannot be converted. */
function hostKeymap(hints: Hints, voice: Voice): ConvertedKeymap | null {
  const { keymap } = hints;
  if (keymap === null || !asksForPassphrase(hints)) return null;
  try {
    return { name: keymap, bytes: convertKeymap(keymap) };
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    const hint = error.hints[0]?.text ?? "choose another with --keymap";
    voice.warn(`the prompt for the passphrase has the keymap of the kernel (US): ${sentence(error)} (${hint})`);
    return null;
  }
}

/** Returns /etc/crypttab of an image for a machine; null if it has no encrypted volumes. Warns of key files that the image does not have. */
export function hostCrypttab(hints: Hints, hasFile: (path: string) => boolean, voice: Voice): string | null {
  if (hints.crypttab.length === 0) return null;
  for (const line of hints.crypttab) {
    const [name = "", , key = ""] = line.split(" ");
    const isInImage = !/^\/(?!dev\/)[^:]*$/.test(key) || hasFile(key);
    if (isInImage) continue;
    voice.warn(
      `${printable(name)} has the key file ${printable(key)}, which the image does not contain: levain looks for it on the disks and then asks for the passphrase (if the image itself is on an encrypted disk: --add ${printable(key)})`,
    );
  }
  return hints.crypttab.map((line) => `${line}\n`).join("");
}

/** Returns the checkers of the machine's filesystems, if its fstab has them checked. Warns of those that this host does not have. */
function hostCheckers(hints: Hints, voice: Voice): readonly string[] {
  const root = hints.filesystems.find(({ path }) => path === "/");
  if (root === undefined || !root.isChecked || IDLE_CHECKERS.has(root.type)) return [];
  const places = CHECKER_PLACES.map((directory) => `${directory}/fsck.${root.type}`);
  const found = places.find(isFile);
  if (found !== undefined) return [found];
  voice.warn(`the root is not checked before it is mounted: this host has no fsck.${printable(root.type)}`);
  return [];
}

const MULTIPATH = ["/sbin/multipath", "/usr/sbin/multipath"];
/** What docs/storage.md adds beside the program. */
const MULTIPATH_FILES = ["/lib/multipath", "/etc/multipath.conf", "/etc/multipath"];

/** Returns the path of multipath(8) if the root is on a disk with several paths; null if not. Warns if this host does not have it. */
function hostMultipath({ volumes }: Hints, voice: Voice): string | null {
  const disk = volumes.find(({ kind }) => kind === "multipath");
  if (disk === undefined) return null;
  const found = MULTIPATH.find(isFile) ?? null;
  if (found === null) {
    voice.warn(
      `a boot uses one path to ${printable(disk.name ?? disk.device)}, and does not find a root of that name: this host has no multipath (Debian: apt install multipath-tools)`,
    );
  }
  return found;
}

/** Returns the plan of a boot with the machine's present command line; null, with a warning, if a boot would refuse it. */
export function planOfHost(hints: Hints, input: Parameters<typeof makePlan>[0], voice: Voice): BootPlan | null {
  try {
    const { plan } = makePlan({ ...input, cmdline: hints.cmdline });
    if (plan.root.kind === "none" && !plan.root.isAsked) {
      voice.warn(
        "neither the image nor the present command line names the root: give root= in the boot loader's entry",
      );
    }
    return plan;
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    voice.warn(`with the present command line, a boot of this image fails: ${sentence(error)}`);
    return null;
  }
}
