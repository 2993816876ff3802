import { type BusDisk, controllersOf, type Device, type NamedDisk } from "../../src/desk/qemu/disk-devices.ts";

/** A disk of the guest. By default its writes go to a throw-away snapshot: the file is never changed, and VMs can share it. */
export interface Disk extends BusDisk {
  /** A raw image file on the host. */
  readonly file: string;
  readonly readOnly?: boolean;
  /** Writes go to the file: for a test of what is written, with a copy of its own. */
  readonly keepsWrites?: boolean;
  /** The name for `vm.plug` and `vm.unplug`; default disk0, disk1, … */
  readonly id?: string;
  /** The guest does not have it until `vm.plug(id)`. */
  readonly unplugged?: boolean;
  /** QEMU answers no quicker: a disk that is failing or spins up. */
  readonly bytesPerSecond?: number;
  /** Every read ends in an error, and nothing can be written. */
  readonly failsReads?: boolean;
}

/** PCI Express: a device comes and goes only at a port of its own. */
export function behindPort(named: NamedDisk<Disk>): NamedDisk<Disk> {
  const { device, id } = named;
  return ["virtio-blk-pci", "nvme"].includes(device.driver)
    ? { ...named, device: { ...device, bus: portOf(id) } }
    : named;
}

const portOf = (id: string) => `${id}-port`;

function portsOf(disks: readonly NamedDisk<Disk>[]): readonly Device[] {
  const behind = disks.filter(({ device, id }) => device["bus"] === portOf(id));
  return behind.map(({ id }, index) => ({ driver: "pcie-root-port", id: portOf(id), chassis: index + 1 }));
}

/** QEMU's arguments for these disks and the controllers they hang on. */
export function diskArguments(disks: readonly NamedDisk<Disk>[]): string[] {
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
  const devices = [...portsOf(disks), ...controllersOf(disks.map(({ disk }) => disk)), ...plugged];
  return [...drives, ...devices.flatMap((device) => ["-device", JSON.stringify(device)])];
}
