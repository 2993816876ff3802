/** How a guest sees a disk. `ide` is the old PIIX, `usb` an xHCI stick, `ehci` a USB 2 one, `cdrom` a virtio-scsi CD, `sd` the one SD card. */
export const BUSES = ["virtio", "scsi", "nvme", "ahci", "ide", "usb", "ehci", "cdrom", "sd"] as const;
/** One of `BUSES`. */
export type Bus = (typeof BUSES)[number];

/** A disk on a bus of a guest. */
export interface BusDisk {
  /** Default: virtio. */
  readonly bus?: Bus;
  readonly serial?: string;
  /** A disk of SCSI: its World Wide Name, which tells several paths to it from several disks. */
  readonly wwn?: number;
  /** For a CD: the drive is empty until QMP's blockdev-change-medium. */
  readonly isEmpty?: boolean;
}

/** A device as `-device` and QMP's device_add take it. */
export type Device = Readonly<Record<string, string | boolean | number>> & { readonly driver: string };

const CONTROLLERS: Readonly<Partial<Record<Bus, Device>>> = {
  scsi: { driver: "virtio-scsi-pci", id: "scsi" },
  cdrom: { driver: "virtio-scsi-pci", id: "cdrom" },
  ahci: { driver: "ich9-ahci", id: "ahci" },
  sd: { driver: "sdhci-pci", id: "sdhci" },
  usb: { driver: "qemu-xhci", id: "xhci" },
  ehci: { driver: "usb-ehci", id: "ehci" },
};

/** Returns the controllers that these disks need, each once. */
export function controllersOf(disks: readonly BusDisk[]): readonly Device[] {
  return [...new Set(disks.map(({ bus = "virtio" }) => bus))].flatMap((bus) => CONTROLLERS[bus] ?? []);
}

/** Returns the guest's device for `disk`, whose backend is drive `<id>-drive`; `index` counts the disks of one bus. */
export function diskDevice(disk: BusDisk, id: string, index: number): Device {
  const common = {
    id,
    ...(disk.isEmpty === true ? {} : { drive: `${id}-drive` }),
    ...(disk.serial === undefined ? {} : { serial: disk.serial }),
  };
  switch (disk.bus ?? "virtio") {
    case "virtio":
      return { driver: "virtio-blk-pci", ...common };
    case "scsi":
      return { driver: "scsi-hd", bus: "scsi.0", ...common, ...(disk.wwn === undefined ? {} : { wwn: disk.wwn }) };
    case "cdrom":
      return { driver: "scsi-cd", bus: "cdrom.0", ...common };
    case "nvme":
      return { driver: "nvme", ...common, serial: disk.serial ?? id };
    case "ahci":
      return { driver: "ide-hd", bus: `ahci.${index}`, ...common };
    case "ide":
      return { driver: "ide-hd", bus: `ide.${index}`, ...common };
    case "usb":
      return { driver: "usb-storage", bus: "xhci.0", ...common, removable: true };
    case "ehci":
      return { driver: "usb-storage", bus: "ehci.0", ...common, removable: true };
    case "sd":
      return { driver: "sd-card", bus: "sd-bus", id, drive: `${id}-drive` };
  }
}

/** A disk of a guest, with its name and its place on its bus. */
export interface NamedDisk<Disk extends BusDisk> {
  readonly disk: Disk;
  readonly id: string;
  readonly device: Device;
}

/** Gives every disk its name (its own or disk0, disk1, …) and its place on its bus. */
export function nameDisks<Disk extends BusDisk & { readonly id?: string }>(
  disks: readonly Disk[],
): readonly NamedDisk<Disk>[] {
  const used = new Map<Bus, number>();
  return disks.map((disk, number) => {
    const bus = disk.bus ?? "virtio";
    const index = used.get(bus) ?? 0;
    used.set(bus, index + 1);
    const id = disk.id ?? `disk${number}`;
    return { disk, id, device: diskDevice(disk, id, index) };
  });
}
