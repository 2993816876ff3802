import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { scratchDirectory } from "./cache.ts";

/** Files by absolute path: a text, or a link to another absolute path. */
export type HostFiles = Readonly<Record<string, string | { readonly to: string }>>;

/** Makes a directory with these files, as `findHints` reads a system. Links are relative, as in /sys. */
export function fakeHost(...parts: readonly HostFiles[]): string {
  const root = scratchDirectory();
  const entries = Object.entries(Object.assign({}, USUAL, ...parts) as HostFiles);
  for (const [path, content] of entries) {
    const place = join(root, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof content === "string") {
      writeFileSync(place, content);
    } else {
      mkdirSync(join(root, dirname(content.to)), { recursive: true });
      symlinkSync(relative(dirname(path), content.to), place);
    }
  }
  return root;
}

const USUAL: HostFiles = {
  "/proc/sys/kernel/osrelease": "6.1.0-56-amd64\n",
  "/proc/cpuinfo":
    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\nmodel name\t: Intel(R) Core(TM)\nstepping\t: 10\n\n",
  "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet\n",
  "/proc/modules": "ext4 1 0 - Live 0x0\n",
};

/** A device with the driver that is bound to it; `module` null: the driver is built in. */
export function bound(
  path: string,
  driver: string,
  { module = driver, modalias = "" }: { readonly module?: string | null; readonly modalias?: string } = {},
): HostFiles {
  const place = `/sys/bus/any/drivers/${driver}`;
  return {
    [`${path}/driver`]: { to: place },
    [`${place}/uevent`]: "",
    ...(module === null
      ? {}
      : { [`${place}/module`]: { to: `/sys/module/${module}` }, [`/sys/module/${module}/refcnt`]: "1\n" }),
    ...(modalias === "" ? {} : { [`${path}/modalias`]: `${modalias}\n` }),
  };
}

/** A block device of `directory`, by its number. */
export function block(directory: string, number: string, files: Readonly<Record<string, string>> = {}): HostFiles {
  const name = directory.slice(directory.lastIndexOf("/") + 1);
  return {
    [`${directory}/dev`]: `${number}\n`,
    [`/sys/class/block/${name}`]: { to: directory },
    [`/sys/dev/block/${number}`]: { to: directory },
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, `${text}\n`])),
  };
}

/** A block device that is made of others, which are directories. */
export function volume(
  name: string,
  number: string,
  on: readonly string[],
  files: Readonly<Record<string, string>> = {},
): HostFiles {
  const directory = `/sys/devices/virtual/block/${name}`;
  const slaves = on.map((other) => [`${directory}/slaves/${other.slice(other.lastIndexOf("/") + 1)}`, { to: other }]);
  return { ...block(directory, number, files), ...Object.fromEntries(slaves) };
}

/** What is mounted: lines of mountinfo without their numbers, as "8:1 / / ext4 /dev/sda1 rw". */
export function mounted(...lines: readonly string[]): HostFiles {
  const text = lines.map((line, at) => {
    const [number, root, target, type, source, options] = line.split(" ");
    return `${at + 20} 1 ${number} ${root} ${target} rw,relatime shared:1 - ${type} ${source} ${options}\n`;
  });
  return { "/proc/self/mountinfo": text.join("") };
}
