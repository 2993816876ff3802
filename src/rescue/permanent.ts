import { resolveIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import { findParameters } from "../parameters/parameters.ts";
import { hideSecret } from "../parameters/secrets.ts";
import { orIfRefused } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";

/** Where a system keeps its kernel command line: the first that is there, and what a person does with it. */
const PLACES: readonly (readonly [path: string, cure: string])[] = [
  ["/etc/default/grub", "add it to GRUB_CMDLINE_LINUX in /etc/default/grub and run update-grub or grub-mkconfig"],
  ["/etc/kernel/cmdline", "add it to /etc/kernel/cmdline and install the kernel again: kernel-install add-all"],
  ["/boot/loader/entries", "add it to the options of the entry in /boot/loader/entries"],
  ["/efi/loader/entries", "add it to the options of the entry in /efi/loader/entries"],
  ["/boot/extlinux/extlinux.conf", "add it to the append line of /boot/extlinux/extlinux.conf"],
  ["/boot/syslinux/syslinux.cfg", "add it to the append line of /boot/syslinux/syslinux.cfg"],
  ["/boot/firmware/cmdline.txt", "add it to /boot/firmware/cmdline.txt"],
];
const ELSEWHERE = "add it to the kernel command line in the boot loader";

/** What is meant for one boot. */
const FOR_ONCE = /^(?:(?:rd\.)?(?:break|debug|quiet)\b|rd\.(?:log|overlay\.reset|resume\.policy)\b|nopersistence$)/;

/** Returns the parameters of `levain retry` that the next boot needs too; of those with one value the last. */
export function permanentOf(words: readonly string[]): readonly string[] {
  const nameOf = (word: string) => word.replace(/=.*/s, "");
  const isLast = (word: string, index: number) =>
    !words.slice(index + 1).some((later) => nameOf(later) === nameOf(word));
  const isList = (word: string) => findParameters(nameOf(word)).some(({ row }) => row.isList);
  const kept = words.filter((word, index) => !FOR_ONCE.test(word) && (isList(word) || isLast(word, index)));
  return [...new Set(kept)];
}

/** Says how to keep the parameters of `levain retry` that have made a boot succeed, as one sentence; `root` is where the new root is mounted. */
export function describePermanent(machine: Machine, root: string, words: readonly string[]): string {
  const isThere = ([path]: (typeof PLACES)[number]) => orIfRefused(() => resolveIn(machine, root, path), null) !== null;
  const [, cure] = PLACES.find(isThere) ?? ["", ELSEWHERE];
  const shown = words.map((word) => printable(/\s/.test(word) ? `"${hideSecret(word)}"` : hideSecret(word))).join(" ");
  const modules = words.flatMap((word) => /^rd\.modules=(.+)/s.exec(word)?.[1]?.split(",") ?? []);
  const inImage = modules.length === 0 ? "" : `, or modules = ${JSON.stringify(modules)} to levain.toml`;
  return `this boot needed ${shown}: to keep it, ${cure}${printable(inImage)}`;
}
