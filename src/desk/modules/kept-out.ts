import { readLines } from "../../drivers/index/kernel-files.ts";
import { judgeInstall, parseModprobeConfig } from "../../drivers/index/modprobe-config.ts";
import { findModule, type ModuleIndex } from "../../drivers/index/module-index.ts";
import { type ModuleSource, resolveModule } from "../../drivers/index/resolution.ts";
import { matchesWildcard } from "../../drivers/index/wildcard.ts";
import { printable } from "../../problems/report.ts";
import type { ModprobeFile } from "./modprobe-files.ts";

/** The modules of an image, for `warnOfKeptOut`. */
interface Selection {
  readonly source: ModuleSource;
  readonly names: readonly string[];
  /** Those of them that --module or rd.modules= names. */
  readonly asked: readonly string[];
}

/** Where a boot medium needs its driver. Not the floppy drive's, which images of virtual machines often blacklist. */
const STORAGE =
  /^kernel\/(fs|drivers\/(ata|block(?!\/floppy)|cdrom|dax|firewire|hv|md|memstick|message|misc\/cardreader|mmc|nvdimm|nvme|pci|scsi|ufs|usb\/(core|host|storage)|virtio))\//;

/** More modules than that share one warning: openSUSE blacklists twenty filesystems. */
const MOST_WARNINGS = 3;

/**
 * Returns warnings of the storage modules, filesystems and modules asked for that a line of `files` keeps out. `loaded` are the
 * names and aliases of rd.modules=: by its name a blacklisted module is loaded, too.
 */
export function warnOfKeptOut(
  { source, names, asked }: Selection,
  files: readonly ModprobeFile[],
  loaded: readonly string[],
): readonly string[] {
  const lines = files.flatMap(({ path, text }) =>
    readLines(text).map((line) => ({ path, line, ...parseModprobeConfig([{ name: "", text: line }]) })),
  );
  const byName = new Set(
    loaded
      .flatMap((given) => resolveModule(source, given))
      .flatMap(({ name, alias }) => (alias === null ? [name] : [])),
  );
  const matters = (name: string) => asked.includes(name) || STORAGE.test(findModule(source.index, name)?.path ?? "");
  const found = names.filter(matters).flatMap((name) => {
    const install = lines.find((line) => line.install.some(({ pattern }) => matchesWildcard(pattern, name)));
    const blacklist = lines.find((line) => line.blacklist.includes(name));
    // Most images have no line for any of their modules, and the aliases are thousands.
    const isReplaced = install !== undefined && hasEffectiveInstall(source, name);
    const isForbidden = blacklist !== undefined && !byName.has(name) && hasDeviceAlias(source.index, name);
    const kept = (isReplaced && install) || (isForbidden && blacklist);
    return kept ? [{ name, reason: `${printable(kept.path)} has "${printable(kept.line)}"` }] : [];
  });
  const others = found.filter(({ name }) => !asked.includes(name));
  const isMany = others.length > MOST_WARNINGS;
  const said = isMany ? found.filter((one) => !others.includes(one)) : found;
  const all = others.map(({ name }) => printable(name)).join(", ");
  return [
    ...said.map(({ name, reason }) => `${printable(name)} will not be loaded: ${reason}; ${LEAVE_OUT}`),
    ...(isMany ? [`${all} will not be loaded: modprobe.d says so, as ${others[0]?.reason}; ${LEAVE_OUT}`] : []),
  ];
}

const LEAVE_OUT = "leave modprobe.d files out with --modprobe-dir none";

/** Whether an install line replaces the module by nothing or a failure: levain runs no other command, and loads the module. */
function hasEffectiveInstall(source: ModuleSource, name: string): boolean {
  const own = resolveModule(source, name)
    .flatMap(({ actions }) => actions)
    .find((action) => action.name === name);
  return own?.do === "install" && judgeInstall(own.command) !== null;
}

/** Whether the boot loads a module by an alias: of a device, or fs-TYPE. It loads loop and the device mapper by name. */
function hasDeviceAlias({ aliases }: ModuleIndex, name: string): boolean {
  return [...aliases.keys()].some((bus) => {
    const { lines = "" } = aliases.get(bus) ?? {};
    if (bus === "devname" || !lines.includes(`\t${name}\n`)) return false;
    return bus !== "" || lines.split("\n").some((line) => /^(fs_|acpi)/.test(line) && line.endsWith(`\t${name}`));
  });
}
