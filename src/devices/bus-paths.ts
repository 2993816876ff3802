/** Reads the attributes of a device: null if one is missing. Paths may lead upwards from the device's directory. */
export interface AttributeReader {
  text(path: string): string | null;
  bytes(path: string): Uint8Array | null;
  names(path: string): readonly string[];
  /** The target of a link; "" if it is none. */
  link(path: string): string;
}

/** Lists the names below by-path/ of a disk on PCI: ID_PATH of udev's path_id, and its older spellings. */
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
  // Host numbers are global; by-path counts from the first host of the controller.
  const siblings = read.names(up(hostAt - 1)).flatMap((name) => Number(/^host(\d+)$/.exec(name)?.[1] ?? Number.NaN));
  const first = Math.min(host, ...siblings.filter((number) => Number.isInteger(number)));
  const scsi = `scsi-${host - first}:${channel}:${target}:${unit}`;
  return [usb === undefined ? scsi : `usb-0:${usb.slice(usb.indexOf("-") + 1)}-${scsi}`];
}
