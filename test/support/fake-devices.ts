import type { DeviceEvent } from "../../src/machine/machine.ts";
import type { FakeBlockDevice, FakeDisk } from "./fake-disk.ts";
import { addEntry, type FakeDirectory } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import { partitionDisk } from "./fake-partitions.ts";

const SD_MAJOR = 8;
const MINORS_PER_DISK = 16;
const CONTENT_IF_NONE = new Uint8Array(1 << 20);

/** The block devices, what /sys and /dev say of them, and the uevents that tell of them. */
export class FakeDevices {
  readonly images = new Map<bigint | number, FakeImage>();
  readonly #byNumber = new Map<string, FakeBlockDevice>();
  /** How often a device is opened by a reader, and held by a mapping. */
  readonly #readers = new Map<string, number>();
  readonly #holders = new Map<string, number>();
  readonly #sys: FakeDirectory;
  readonly #dev: FakeDirectory;
  #disks = 0;
  #sequence = 0;
  /** null until somebody listens: what happened before is not heard of. */
  #queue: DeviceEvent[] | null = null;

  constructor(sys: FakeDirectory, dev: FakeDirectory) {
    this.#sys = sys;
    this.#dev = dev;
  }

  /** Makes an image known: what has its bytes can be mounted. */
  addImage(image: FakeImage): void {
    this.images.set(Bun.hash(image.bytes), image);
  }

  /** The image whose bytes these are; undefined for any others. */
  imageOf(content: Uint8Array): FakeImage | undefined {
    return this.images.get(Bun.hash(content));
  }

  addDisk(disk: FakeDisk): void {
    const { name, image, partitions = [] } = disk;
    const minor = this.#freeMinor();
    this.#disks++;
    const table = partitions.length > 0 ? partitionDisk(partitions) : null;
    const content = disk.content ?? image?.bytes ?? table?.bytes ?? CONTENT_IF_NONE;
    if (image !== undefined) this.addImage(image);
    const devpath = `/devices/pci0000:00/0000:00:0${this.#disks}.0/block/${name}`;
    const {
      readOnly = false,
      answersAfterMs,
      mountsAfterMs,
      replaysForMs,
      looksAfterMs,
      writesAfterMs,
      failsWith,
      isRemovable,
    } = disk;
    const same = {
      readOnly,
      answersAfterMs,
      mountsAfterMs,
      replaysForMs,
      looksAfterMs,
      writesAfterMs,
      failsWith,
      isRemovable,
    };
    this.addBlockDevice({ name, number: `${SD_MAJOR}:${minor}`, devpath, content, ...same }, { DEVTYPE: "disk" });
    for (const [index, partition] of partitions.entries()) {
      this.addImage(partition.image);
      const partName = `${name}${/\d$/.test(name) ? "p" : ""}${index + 1}`;
      const offset = table?.offsets[index] ?? 0;
      const part = content.subarray(offset, offset + partition.image.bytes.length);
      const number = `${SD_MAJOR}:${minor + index + 1}`;
      const device = { name: partName, number, devpath: `${devpath}/${partName}`, content: part, ...same };
      this.addBlockDevice(device, { DEVTYPE: "partition", PARTN: String(index + 1) });
    }
  }

  /** As the kernel does it: sysfs and the node first, then the event. */
  addBlockDevice(device: FakeBlockDevice, properties: Readonly<Record<string, string>>): void {
    const { name, number, devpath } = device;
    this.#byNumber.set(number, device);
    const [major = "", minor = ""] = number.split(":");
    // kobject names have "!" where the node is in a directory (drivers/base/core.c).
    const node = name.replaceAll("!", "/");
    const all = { MAJOR: major, MINOR: minor, DEVNAME: node, ...properties };
    const uevent = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
    addEntry(this.#sys, `${devpath}/uevent`, uevent.join(""));
    addEntry(this.#sys, `${devpath}/dev`, `${number}\n`);
    addEntry(this.#sys, `${devpath}/size`, {
      read: () => `${Math.floor((device.isRemovable ? (device.openedBytes ?? 0) : device.content.length) / 512)}\n`,
    });
    addEntry(this.#sys, `${devpath}/removable`, device.isRemovable ? "1\n" : "0\n");
    addEntry(this.#sys, `${devpath}/ro`, { read: () => (device.readOnly ? "1\n" : "0\n") });
    if (properties.DEVTYPE === "disk")
      addEntry(this.#sys, `${devpath}/queue/logical_block_size`, `${device.logicalBytes ?? 512}\n`);
    else addEntry(this.#sys, `${devpath}/partition`, `${properties.PARTN}\n`);
    addEntry(this.#sys, `/class/block/${name}`, { link: `../..${devpath}` });
    addEntry(this.#dev, `/${node}`, { node: "block", number });
    this.emit("add", devpath, "block", all);
  }

  /** The lowest that nobody has: that of a disk that went is given to the next. */
  #freeMinor(): number {
    for (let minor = 0; ; minor += MINORS_PER_DISK) if (!this.#byNumber.has(`${SD_MAJOR}:${minor}`)) return minor;
  }

  removeDisk(name: string): void {
    const link = this.#entry("/class/block", name);
    const devpath = link?.kind === "symlink" ? link.target.slice("../..".length) : null;
    if (devpath === null) throw new Error(`FakeMachine: there is no disk ${name}`);
    const below = [...this.#byNumber.values()].filter((device) => `${device.devpath}/`.startsWith(`${devpath}/`));
    for (const device of below.toReversed()) {
      this.#byNumber.delete(device.number);
      this.#entries("/class/block").delete(device.name);
      this.#dev.entries.delete(device.name);
      const [MAJOR = "", MINOR = ""] = device.number.split(":");
      this.emit("remove", device.devpath, "block", { MAJOR, MINOR, DEVNAME: device.name });
    }
    this.#entries(devpath.slice(0, devpath.lastIndexOf("/"))).delete(name);
  }

  byNumber = (number: string | null) => this.#byNumber.get(number ?? "");

  byName = (name: string) => [...this.#byNumber.values()].find((device) => device.name === name);

  /** A reader opens the device, or closes it (-1). */
  countReader(number: string, change: number): void {
    this.#readers.set(number, (this.#readers.get(number) ?? 0) + change);
  }

  isOpen(number: string): boolean {
    return (this.#readers.get(number) ?? 0) > 0;
  }

  /** A mapping takes the device for itself: nobody can mount it. */
  hold(number: string, change = 1): void {
    this.#holders.set(number, (this.#holders.get(number) ?? 0) + change);
  }

  release = (number: string) => this.hold(number, -1);

  isHeld(number: string): boolean {
    return (this.#holders.get(number) ?? 0) > 0;
  }

  emit(action: string, devpath: string, subsystem: string, properties: Readonly<Record<string, string>>): void {
    const SEQNUM = String(++this.#sequence);
    const all = { ACTION: action, DEVPATH: devpath, SUBSYSTEM: subsystem, ...properties, SEQNUM };
    this.#queue?.push({ action, devpath, subsystem, properties: all });
  }

  listen(): void {
    this.#queue ??= [];
  }

  /** The number of the newest event, heard of or not. */
  newestNumber = () => this.#sequence;

  /** The kernel says once more of a device that is there that it has changed: its medium is `content` now. */
  change(name: string, content?: Uint8Array): void {
    const device = this.byName(name);
    if (device === undefined) throw new Error(`FakeMachine: there is no device ${name}`);
    device.content = content ?? device.content;
    const [MAJOR = "", MINOR = ""] = device.number.split(":");
    this.emit("change", device.devpath, "block", { MAJOR, MINOR, DEVNAME: name });
  }

  /** The next event that has happened. */
  takeEvent(): DeviceEvent | null {
    return this.#queue?.shift() ?? null;
  }

  hasEvent(): boolean {
    return (this.#queue ?? []).length > 0;
  }

  /** Forgets what has happened, as the kernel does when the socket's buffer is full, and says so. */
  overflow(): void {
    this.#queue = [{ action: "overflow", devpath: "", subsystem: "", properties: {} }];
  }

  #entries(path: string): FakeDirectory["entries"] {
    let directory = this.#sys;
    for (const name of path.split("/").filter((part) => part !== "")) {
      const next = directory.entries.get(name);
      if (next?.kind !== "directory") return new Map();
      directory = next;
    }
    return directory.entries;
  }

  #entry(path: string, name: string) {
    return this.#entries(path).get(name);
  }
}
