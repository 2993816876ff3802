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

export const LAST_WAVE = WAVES.length - 1;

/** The wave of a module's file, below /lib/modules/VERSION: 0 to LAST_WAVE. */
export function waveOf(path: string): number {
  return WAVES.findIndex((wave) => wave.test(path));
}
