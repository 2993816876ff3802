/** How a disk is seen by the guest. `ide` is the old PIIX, `usb` an xHCI stick, `ehci` a USB 2 one, `cdrom` a virtio-scsi CD, `sd` the one SD card. */
export type Bus = "virtio" | "scsi" | "nvme" | "ahci" | "ide" | "usb" | "ehci" | "cdrom" | "sd";

/** A disk of the guest. By default its writes go to a throw-away snapshot: the file is never changed, and VMs can share it. */
export interface Disk {
  /** A raw image file on the host. */
  readonly file: string;
  /** Default: virtio. */
  readonly bus?: Bus;
  readonly readOnly?: boolean;
  /** Writes go to the file: for a test of what is written, with a copy of its own. */
  readonly keepsWrites?: boolean;
  readonly serial?: string;
  /** A disk of SCSI: its World Wide Name, which tells several paths to it from several disks. */
  readonly wwn?: number;
  /** The name for `vm.plug` and `vm.unplug`; default disk0, disk1, … */
  readonly id?: string;
  /** The guest does not have it until `vm.plug(id)`. */
  readonly unplugged?: boolean;
  /** For a CD: the drive is empty until QMP's blockdev-change-medium. */
  readonly isEmpty?: boolean;
  /** QEMU answers no quicker: a disk that is failing or spins up. */
  readonly bytesPerSecond?: number;
  /** Every read ends in an error, and nothing can be written. */
  readonly failsReads?: boolean;
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

/** The guest's device for `disk`, which is drive `<id>-drive`; `index` counts the disks of one bus. */
export function diskDevice(disk: Disk, id: string, index: number): Device {
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

export interface NamedDisk {
  readonly disk: Disk;
  readonly id: string;
  readonly device: Device;
}

/** Gives every disk its name and its place on its bus. */
export function nameDisks(disks: readonly Disk[]): readonly NamedDisk[] {
  const used = new Map<Bus, number>();
  return disks.map((disk, number) => {
    const bus = disk.bus ?? "virtio";
    const index = used.get(bus) ?? 0;
    used.set(bus, index + 1);
    const id = disk.id ?? `disk${number}`;
    return { disk, id, device: diskDevice(disk, id, index) };
  });
}

/** QEMU's arguments for these disks and the controllers they hang on. */
export function diskArguments(disks: readonly NamedDisk[]): string[] {
  const buses = new Set(disks.map(({ disk }) => disk.bus ?? "virtio"));
  const controllers = [...buses].flatMap((bus) => CONTROLLERS[bus] ?? []);
  const drives = disks.flatMap(({ disk, id }) => {
    if (disk.isEmpty === true) return [];
    const readOnly = disk.readOnly === true ? ",readonly=on" : "";
    const throttling = disk.bytesPerSecond === undefined ? "" : `,throttling.bps-total=${disk.bytesPerSecond}`;
    const writes = disk.keepsWrites === true ? "cache=unsafe" : "snapshot=on";
    const path = disk.file.replaceAll(",", ",,");
    if (disk.failsReads === true) {
      const errors = "file.driver=blkdebug,file.inject-error.0.event=read_aio,file.inject-error.0.errno=5";
      return [
        "-drive",
        `if=none,id=${id}-drive,driver=raw,${errors},file.image.driver=file,file.image.filename=${path},readonly=on`,
      ];
    }
    const file = `file=${path}`;
    return ["-drive", `if=none,id=${id}-drive,format=raw,${writes},${file}${readOnly}${throttling}`];
  });
  const plugged = disks.filter(({ disk }) => disk.unplugged !== true).map(({ device }) => device);
  return [...drives, ...[...controllers, ...plugged].flatMap((device) => ["-device", JSON.stringify(device)])];
}
