import { matchesWildcard } from "../../drivers/index/wildcard.ts";
import type { Machine } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import { compareReleases } from "../kernels/compare-releases.ts";
import { type BootEntry, createPathFinder } from "./entry.ts";

/** Where the EFI system partition and the extended boot loader partition are mounted (Boot Loader Specification of the UAPI group). */
const PARTITIONS = ["/efi", "/boot", "/boot/efi"];

/** Finds the entries of the Boot Loader Specification: loader/entries/*.conf, and unified kernel images in EFI/Linux. */
export function findLoaderEntries(machine: Machine, variables: ReadonlyMap<string, string>): readonly BootEntry[] {
  const found = PARTITIONS.flatMap((partition) => [
    ...readTextEntries(machine, partition, variables),
    ...listUnifiedEntries(machine, partition),
  ]);
  // Fedora's GRUB keeps the default in its environment block, by the name of the entry's file.
  const saved = found.find(({ id }) => id === `${variables.get("saved_entry")}.conf`);
  const pattern = PARTITIONS.map((partition) => readDefault(machine, partition)).find((text) => text !== null) ?? null;
  const usual = found.toSorted(compareEntries).find(({ id }) => pattern === null || matchesWildcard(pattern, id));
  const chosen = saved ?? usual;
  return found.map(({ entry }) => ({ ...entry, isDefault: entry === chosen?.entry }));
}

interface Found {
  /** The name of the file. */
  readonly id: string;
  readonly version: string;
  readonly entry: BootEntry;
}

/** The newest version comes first, as in systemd-boot's menu. */
function compareEntries(one: Found, other: Found): number {
  return compareReleases(other.version, one.version) || compareReleases(other.id, one.id);
}

function readDefault(machine: Machine, partition: string): string | null {
  // "@saved" and the like are in variables of the firmware.
  return /^default\s+([^\s@]\S*)/m.exec(textOrNone(machine, `${partition}/loader/loader.conf`))?.[1] ?? null;
}

function readTextEntries(
  machine: Machine,
  partition: string,
  variables: ReadonlyMap<string, string>,
): readonly Found[] {
  const directory = `${partition}/loader/entries`;
  const findPath = createPathFinder(machine);
  return listOrNone(machine, directory)
    .filter((name) => name.endsWith(".conf"))
    .map((name) => {
      const config = `${directory}/${name}`;
      const lines = textOrNone(machine, config).split("\n");
      const all = (key: string) =>
        lines.flatMap((line) => {
          const [, found, value] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
          return found === key && value !== undefined ? [value] : [];
        });
      const place = (path: string) => {
        const usual = `${partition}/${path.replace(/^\/+/, "")}`;
        // In /boot of a root filesystem, GRUB reads the same entries: their paths begin at the top of that filesystem.
        const found = machine.stat(usual) === null ? findPath(path) : usual;
        return machine.stat(found) === null ? usual : found;
      };
      const [kernel = all("efi")[0]] = all("linux");
      const options = all("options").join(" ");
      return {
        id: name,
        version: all("version")[0] ?? "",
        entry: {
          loader: "systemd-boot",
          config,
          title: all("title")[0] ?? name,
          kernel: kernel === undefined ? null : place(kernel),
          initrds: all("initrd").map(place),
          // Fedora's GRUB reads the same entries, with variables of its own.
          cmdline: options.replace(/\$\{?(\w+)\}?/g, (_, variable: string) => variables.get(variable) ?? "").trim(),
          isDefault: false,
        },
      };
    });
}

function listUnifiedEntries(machine: Machine, partition: string): readonly Found[] {
  const directory = `${partition}/EFI/Linux`;
  return listOrNone(machine, directory)
    .filter((name) => /\.efi$/i.test(name))
    .map((name) => {
      const config = `${directory}/${name}`;
      const base = { loader: "systemd-boot", config, title: name, cmdline: "", isDefault: false };
      return { id: name, version: "", entry: { ...base, kernel: config, initrds: [config] } };
    });
}
