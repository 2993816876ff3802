import type { Machine } from "../machine/machine.ts";

/**
 * The order in which drivers are loaded, by the path of their file; the last wave has all the others. Loading takes longer than
 * the rest of a boot, so it ends with the wave that brings the root: the real init loads the drivers of all other devices (old disk
 * controllers, USB, keyboards), or the next wave does if the root has not appeared yet.
 */
const WAVES: readonly RegExp[] = [
  /^kernel\/drivers\/(virtio|nvme|xen|hv|pci|ufs|nvdimm|block\/(?!floppy))/,
  /^kernel\/drivers\/(ata|scsi|message|usb|mmc|misc\/cardreader|firewire|cdrom)\//,
  /^/,
];

/** The number of the last wave, counted from 0. */
export const LAST_WAVE = WAVES.length - 1;

/** Returns the wave of a module by its path below /lib/modules/VERSION: 0 to LAST_WAVE. */
export function waveOf(path: string): number {
  return WAVES.findIndex((wave) => wave.test(path));
}

/** What a keyboard may depend on, or a console, by the path of its file: buses, their controllers, and input itself. */
const FOR_TYPING =
  /^kernel\/drivers\/(?:usb\/(?!storage)|hid|input|phy|regulator|i2c|spi|mfd|pinctrl|gpio|platform|tty|char\/virtio_console)/;

/** Returns true if a person may need the module, by its path below /lib/modules/VERSION, to type. */
export function servesTyping(path: string): boolean {
  return FOR_TYPING.test(path);
}

/** Controllers of disks of the second wave, but for USB: on a virtual machine their subsystems take longer to load than the rest of a boot. */
const FOR_DISKS = /^kernel\/drivers\/(?:ata|scsi|message|mmc|misc\/cardreader|firewire|cdrom)\//;

/** Returns true if a module serves only disks, by its path below /lib/modules/VERSION. */
export function servesDisks(path: string): boolean {
  return FOR_DISKS.test(path);
}

/** What a network interface may depend on, by the path of its file: its driver, and USB for adapters. */
const FOR_NETWORK = /^kernel\/(?:drivers\/(?:net|virtio|ptp|pps|phy|usb\/(?!storage))|net)\//;

/** Returns true if a network interface may need the module, by its path below /lib/modules/VERSION. */
export function servesNetwork(path: string): boolean {
  return FOR_NETWORK.test(path);
}

/** Watchdogs, and the chips of which Intel's is a part, by the path of their files. */
const FOR_WATCHDOG = /^kernel\/drivers\/(?:watchdog\/|mfd\/lpc_ich|i2c\/busses\/i2c-i801)/;

/** Returns true if a watchdog may need the module, by its path below /lib/modules/VERSION. */
export function servesWatchdog(path: string): boolean {
  return FOR_WATCHDOG.test(path);
}

/** Drivers of devices that a bus announces later: the kernel scans for disks while they are loaded, and a keyboard needs its own driver. */
const EXPECTED = [
  { wave: 1, bus: "scsi", names: ["sd_mod"] },
  { wave: LAST_WAVE, bus: "usb", names: ["usbhid", "hid_generic"] },
];

/** Lists the modules to load at the end of a wave, for devices that may still appear on the buses of this machine. */
export function expectedInWave(machine: Machine, wave: number): readonly string[] {
  const there = EXPECTED.filter((entry) => entry.wave === wave && machine.stat(`/sys/bus/${entry.bus}`) !== null);
  return there.flatMap(({ names }) => names);
}
