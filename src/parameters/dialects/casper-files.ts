/**
 * The files with which Ubuntu's live media configure casper in their initramfs. An image into which levain was grafted has them,
 * and the boot menu of such a medium does not repeat what they say.
 */
export const CASPER_FILES = {
  boot: "/conf/conf.d/default-boot-to-casper.conf",
  layer: "/conf/conf.d/default-layer.conf",
  uuid: "/conf/uuid.conf",
} as const;

/** Returns what these files say as parameters; `read` returns the text of a file, or null. What is unclear is left out. */
export function readCasperFiles(read: (path: string) => string | null): readonly string[] {
  const find = (path: string, shape: RegExp) => shape.exec(read(path) ?? "")?.[1] ?? null;
  // Shell, which initramfs-tools sources.
  const boot = find(CASPER_FILES.boot, /^[ \t]*(?:export[ \t]+)?BOOT="?(casper)"?[ \t]*$/m);
  const layer = find(CASPER_FILES.layer, /^[ \t]*(?:export[ \t]+)?LAYERFS_PATH="?([\w.+/-]+)"?[ \t]*$/m);
  const uuid = find(CASPER_FILES.uuid, /^([0-9a-f]+(?:-[0-9a-f]+)*)\s*$/i);
  return [
    ...(boot === null ? [] : [`boot=${boot}`]),
    ...(layer === null ? [] : [`layerfs-path=${layer}`]),
    ...(uuid === null ? [] : [`uuid=${uuid}`]),
  ];
}
