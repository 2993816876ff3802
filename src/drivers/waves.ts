import type { Machine } from "../machine/machine.ts";

/**
 * The order in which drivers are loaded, by the path of their file; the last takes all that is left. Loading costs more
 * than all the rest of a boot, so it ends with the wave that brings the root: what a machine has besides (old disk
 * controllers, USB, keyboards) is the real init's to load, or the next wave's when the root is not there yet.
 */
const WAVES: readonly RegExp[] = [
  /^kernel\/drivers\/(virtio|nvme|xen|hv|pci|ufs|nvdimm|block\/(?!floppy))/,
  /^kernel\/drivers\/(ata|scsi|message|usb|mmc|misc\/cardreader|firewire|cdrom)\//,
  /^/,
];

/** The number of the last wave; the first is 0. */
export const LAST_WAVE = WAVES.length - 1;

/** The wave of a module's file, below /lib/modules/VERSION: 0 to LAST_WAVE. */
export function waveOf(path: string): number {
  return WAVES.findIndex((wave) => wave.test(path));
}

/** Drivers of what a bus will tell of later: the kernel looks for disks while they are loaded, and a keyboard finds its own. */
const EXPECTED = [
  { wave: 1, bus: "scsi", names: ["sd_mod"] },
  { wave: LAST_WAVE, bus: "usb", names: ["usbhid", "hid_generic"] },
];

/** The modules that are loaded at the end of a wave for what may still appear on the buses of this machine. */
export function expectedInWave(machine: Machine, wave: number): readonly string[] {
  const there = EXPECTED.filter((entry) => entry.wave === wave && machine.stat(`/sys/bus/${entry.bus}`) !== null);
  return there.flatMap(({ names }) => names);
}
