/** Attributes of a device: null where there are none. Paths may lead upwards from the device's own directory. */
export interface AttributeReader {
  text(path: string): string | null;
  bytes(path: string): Uint8Array | null;
  names(path: string): readonly string[];
  /** The target of a link; "" where it is none. */
  link(path: string): string;
}

/** What comes after by-path/, for the disk as a whole: ID_PATH of udev's path_id, and its older spellings; for disks on PCI. */
export function listBusPaths(disk: string, devicePath: string, read: AttributeReader): readonly string[] {
  const parts = devicePath.split("/");
  const pci = parts.findLast((part) => /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part));
  if (pci === undefined) return [];
  if (/^vd/.test(disk)) return [`pci-${pci}`, `virtio-pci-${pci}`];
  if (/^nvme/.test(disk)) return [`pci-${pci}-nvme-${read.text("nsid")}`];
  const address = parts.findLast((part) => /^\d+:\d+:\d+:\d+$/.test(part));
  if (!/^(sd|sr)/.test(disk) || address === undefined) return [];
  return scsiPaths(parts, address, read).map((path) => `pci-${pci}-${path}`);
}

function scsiPaths(parts: readonly string[], address: string, read: AttributeReader): readonly string[] {
  const [host = 0, channel = 0, target = 0, unit = 0] = address.split(":").map(Number);
  const up = (index: number): string => "../".repeat(parts.length - 1 - index);
  const ata = parts.findLastIndex((part) => /^ata\d+$/.test(part));
  if (ata >= 0) {
    const port = read.text(`${up(ata)}ata_port/${parts[ata]}/port_no`);
    if (port === null) return [];
    if (channel !== 0) return [`ata-${port}.${channel}.0`];
    return [`ata-${port}.${target}`, ...(target === 0 ? [`ata-${port}`] : [])];
  }
  const usb = parts.findLast((part) => /^\d+-[\d.]+:\d+\.\d+$/.test(part));
  const hostAt = parts.indexOf(`host${host}`);
  // Hosts are numbered over the whole machine; here they count from the controller's first one.
  const siblings = read.names(up(hostAt - 1)).flatMap((name) => Number(/^host(\d+)$/.exec(name)?.[1] ?? Number.NaN));
  const first = Math.min(host, ...siblings.filter((number) => Number.isInteger(number)));
  const scsi = `scsi-${host - first}:${channel}:${target}:${unit}`;
  return [usb === undefined ? scsi : `usb-0:${usb.slice(usb.indexOf("-") + 1)}-${scsi}`];
}
