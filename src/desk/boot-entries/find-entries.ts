import type { Machine } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { type BootEntry, createPathFinder } from "./entry.ts";
import { parseGrubConfig, readGrubEnvironment } from "./grub.ts";
import { findLoaderEntries } from "./loader-entries.ts";
import { findRaspberryPiEntries } from "./raspberry-pi.ts";
import { parseSyslinuxConfig } from "./syslinux.ts";

const GRUB = ["/boot/grub", "/boot/grub2"];
const SYSLINUX = [
  ...["/boot/syslinux/syslinux.cfg", "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf"],
  "/boot/syslinux/extlinux.conf",
];
/** Written by a boot loader that has the Boot Loader Interface of systemd. */
const LOADER_INFO = /^LoaderInfo-4a67b082/;

/**
 * Finds the entries of every boot loader of this machine; only that which is used has a default, if there are several. Returns null
 * if this user may not read them: on Fedora, only root can read grub.cfg.
 */
export function findBootEntries(machine: Machine): readonly BootEntry[] | null {
  return orIfRefused(() => readBootEntries(machine), null, "EACCES", "EPERM");
}

function readBootEntries(machine: Machine): readonly BootEntry[] {
  const grub = findGrubEntries(machine);
  const variables = new Map(GRUB.flatMap((directory) => [...readGrubEnvironment(machine, `${directory}/grubenv`)]));
  const systemd = findLoaderEntries(machine, variables);
  const isSystemd = listOrNone(machine, "/sys/firmware/efi/efivars").some((name) => LOADER_INFO.test(name));
  const groups = [
    ...(isSystemd ? [systemd, grub] : [grub, systemd]),
    findSyslinuxEntries(machine),
    findRaspberryPiEntries(machine),
  ];
  const used = groups.find((entries) => entries.length > 0);
  return groups.flatMap((entries) =>
    entries.map((entry) => ({ ...entry, isDefault: entry.isDefault && entries === used })),
  );
}

function findGrubEntries(machine: Machine): readonly BootEntry[] {
  const find = createPathFinder(machine);
  return GRUB.flatMap((directory) => {
    const config = `${directory}/grub.cfg`;
    const entries = parseGrubConfig(textOrNone(machine, config), readGrubEnvironment(machine, `${directory}/grubenv`));
    return entries.map(({ linux, initrds, ...entry }) => ({
      ...{ loader: "GRUB", config, ...entry },
      ...{ kernel: find(linux), initrds: initrds.map(find) },
    }));
  });
}

function findSyslinuxEntries(machine: Machine): readonly BootEntry[] {
  const find = createPathFinder(machine);
  return SYSLINUX.flatMap((config) => {
    // A path that does not begin with a slash is relative to the configuration.
    const directory = config.slice(0, config.lastIndexOf("/"));
    const place = (path: string) => (path.startsWith("/") ? find(path) : `${directory}/${path}`);
    return parseSyslinuxConfig(textOrNone(machine, config)).map(({ linux, initrds, ...entry }) => ({
      ...{ loader: "syslinux", config, ...entry },
      ...{ kernel: place(linux), initrds: initrds.map(place) },
    }));
  });
}
