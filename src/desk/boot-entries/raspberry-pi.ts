import type { Machine } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import type { BootEntry } from "./entry.ts";

/** Where Raspberry Pi OS mounts the boot partition: since Debian 12, and before. */
const PARTITIONS = ["/boot/firmware", "/boot"];

/** The kernels that raspi-firmware installs, by the flavour at the end of their release (its z50-raspi-firmware). */
const KERNELS: Readonly<Record<string, string>> = {
  v6: "kernel.img",
  v7: "kernel7.img",
  v7l: "kernel7l.img",
  v8: "kernel8.img",
  "2712": "kernel_2712.img",
};

/** The models that config.txt has sections for, by their names in the device tree. */
const MODELS: readonly (readonly [compatible: RegExp, sections: readonly string[]])[] = [
  [/raspberrypi,([1-5])-model/, ["pi$1"]],
  [/raspberrypi,([34])-compute-module/, ["pi$1", "cm$1"]],
  [/raspberrypi,5-compute-module/, ["pi5", "cm5"]],
  [/raspberrypi,([45])00/, ["pi$1", "pi$100"]],
  [/raspberrypi,3-model-[ab]-plus/, ["pi3+"]],
  [/raspberrypi,model-zero/, ["pi0"]],
  [/raspberrypi,model-zero-w/, ["pi0w"]],
  [/raspberrypi,model-zero-2/, ["pi0w", "pi02"]],
];

/**
 * Finds what the firmware of a Raspberry Pi boots by config.txt and cmdline.txt: an entry for each of its kernels. The default is
 * what kernel= names, or else the one that runs: which one the firmware prefers depends on its version.
 */
export function findRaspberryPiEntries(machine: Machine): readonly BootEntry[] {
  const partition = PARTITIONS.find((path) => machine.stat(`${path}/config.txt`)?.kind === "file");
  if (partition === undefined) return [];
  const config = `${partition}/config.txt`;
  const settings = readSettings(textOrNone(machine, config), readModels(machine));
  const place = (name: string) =>
    `${partition}/${name.startsWith("/") ? name.slice(1) : (settings.get("os_prefix") ?? "") + name}`;
  const given = settings.get("kernel");
  const there = listOrNone(machine, partition).filter((name) => Object.values(KERNELS).includes(name));
  const running = KERNELS[/-rpi-(\w+)$/.exec(machine.release().release)?.[1] ?? ""];
  const cmdline = textOrNone(machine, place(settings.get("cmdline") ?? "cmdline.txt")).trim();
  return [...new Set(given === undefined ? there : [given])].map((kernel) => ({
    ...{ loader: "Raspberry Pi firmware", config, title: kernel, kernel: place(kernel), cmdline },
    initrds: findInitramfs(settings, kernel, (name) => machine.stat(place(name)) !== null).map(place),
    isDefault: given !== undefined || kernel === running,
  }));
}

/** Without a name in config.txt, auto_initramfs=1 loads the file that is named after the kernel, if there is one: kernel8.img, initramfs8. */
function findInitramfs(
  settings: ReadonlyMap<string, string>,
  kernel: string,
  exists: (name: string) => boolean,
): readonly string[] {
  const named = settings.get("initramfs") ?? settings.get("ramfsfile");
  if (named !== undefined) return named.split(",");
  const suffix = /^kernel(.*)\.img$/.exec(kernel)?.[1];
  const usual = `initramfs${suffix}`;
  return settings.get("auto_initramfs") === "1" && suffix !== undefined && exists(usual) ? [usual] : [];
}

function readModels(machine: Machine): readonly string[] {
  const compatible = textOrNone(machine, "/proc/device-tree/compatible");
  return MODELS.flatMap(([pattern, sections]) => {
    const [, number = ""] = pattern.exec(compatible) ?? [];
    return pattern.test(compatible) ? sections.map((name) => name.replace("$1", number)) : [];
  });
}

/** Reads the settings for these models: the last of several counts, and a section with another condition is left out. */
function readSettings(text: string, models: readonly string[]): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let isMeant = true;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\[(.+)\]$/.exec(line.trim())?.[1];
    if (section !== undefined) isMeant = section === "all" || models.includes(section.toLowerCase());
    // Only "initramfs NAME ADDRESS" has no equals sign.
    const [, name, value] = /^(\w+)=(.*)$/.exec(line.trim()) ?? /^(initramfs)\s+(\S+)/.exec(line.trim()) ?? [];
    if (isMeant && name !== undefined && value !== undefined) settings.set(name, value);
  }
  return settings;
}
