import type { ArrayRequest, Arrays } from "../../src/machine/machine.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import { addEntry } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";

const DATA_BYTES = 2 << 20;
const SUPERBLOCK_AT = 4096;
const MAGIC = 0xa92b4efc;

/** A member of a mirror as `mdadm --create --metadata=1.2` writes it, and how it saw the array last. */
export interface FakeMember {
  readonly place: number;
  /** How many members the array has. */
  readonly disks?: number;
  readonly level?: number;
  readonly events?: number;
  readonly uuid?: string;
  readonly name?: string;
  readonly isClean?: boolean;
  /** RESHAPE_ACTIVE, JOURNAL … */
  readonly features?: number;
}

/** The bytes of a member whose data are `image`. */
export function fakeMember({ bytes }: Pick<FakeImage, "bytes">, member: FakeMember): Uint8Array {
  const { place, disks = 2, level = 1, events = 10, name = "host:0", isClean = true, features = 0 } = member;
  const content = Buffer.alloc(DATA_BYTES + bytes.length);
  content.set(bytes, DATA_BYTES);
  const sb = content.subarray(SUPERBLOCK_AT, SUPERBLOCK_AT + 256 + 2 * disks);
  const uuid = (member.uuid ?? "0f6f4b5c-1d2e-3f40-5162-738495a6b7c8").replaceAll("-", "");
  sb.writeUInt32LE(MAGIC, 0);
  sb.writeUInt32LE(1, 4);
  sb.writeUInt32LE(features, 8);
  sb.write(uuid, 16, "hex");
  sb.write(name, 32, "latin1");
  sb.writeInt32LE(level, 72);
  sb.writeBigUInt64LE(BigInt(bytes.length / 512), 80);
  sb.writeUInt32LE(disks, 92);
  sb.writeBigUInt64LE(BigInt(DATA_BYTES / 512), 128);
  sb.writeBigUInt64LE(BigInt(bytes.length / 512), 136);
  sb.writeBigUInt64LE(BigInt(SUPERBLOCK_AT / 512), 144);
  sb.writeUInt32LE(place, 160);
  sb.write(`${uuid.slice(0, 30)}0${place}`, 168, "hex");
  sb.writeBigUInt64LE(BigInt(events), 200);
  sb.writeBigUInt64LE(isClean ? 0xffff_ffff_ffff_ffffn : 0n, 208);
  sb.writeUInt32LE(disks, 220);
  for (let at = 0; at < disks; at++) sb.writeUInt16LE(at, 256 + 2 * at);
  let sum = 0n;
  for (let at = 0; at + 4 <= sb.length; at += 4) sum += BigInt(sb.readUInt32LE(at));
  if (sb.length % 4 === 2) sum += BigInt(sb.readUInt16LE(sb.length - 2));
  sb.writeUInt32LE(Number((sum & 0xffff_ffffn) + (sum >> 32n)) >>> 0, 216);
  return content;
}

const PERSONALITIES: Readonly<Record<number, string>> = { 0: "raid0", 1: "raid1", 5: "raid456" };

/** The arrays of drivers/md/md.c as far as mirrors go: any member has all the data. */
export function createFakeArrays(kernel: FakeKernel): Arrays {
  const arrays = new Map<string, readonly FakeBlockDevice[]>();
  return {
    startArray({ name, members }: ArrayRequest) {
      if (!kernel.loadedModules.includes("md_mod")) throw new SyscallError("open", "ENXIO", `/dev/${name}`);
      if (arrays.has(name)) throw new SyscallError("ioctl", "EBUSY", name);
      const devices = members.map((number) => openMember(kernel, number));
      const [first] = devices;
      if (first === undefined) throw new SyscallError("ioctl", "EINVAL", name);
      const level = Buffer.from(first.content).readInt32LE(SUPERBLOCK_AT + 72);
      if (!kernel.loadedModules.includes(PERSONALITIES[level] ?? "")) throw new SyscallError("ioctl", "EINVAL", name);
      for (const { number } of devices) kernel.devices.hold(number);
      arrays.set(name, devices);
      addArray(kernel, name, devices);
    },
    stopArray(name) {
      const devices = arrays.get(name);
      if (devices === undefined) throw new SyscallError("ioctl", "ENODEV", name);
      const number = numberOf(name);
      const isBusy = kernel.devices.isOpen(number) || kernel.devices.isHeld(number);
      if (isBusy || kernel.filesystems.isInUse(number)) {
        throw new SyscallError("ioctl", "EBUSY", name);
      }
      arrays.delete(name);
      kernel.devices.removeDisk(name);
      for (const device of devices) kernel.devices.release(device.number);
    },
  };
}

const numberOf = (name: string) => `9:${name.slice("md".length)}`;

function openMember(kernel: FakeKernel, number: string): FakeBlockDevice {
  const device = kernel.devices.byNumber(number);
  if (device === undefined) throw new SyscallError("ioctl", "ENXIO", number);
  if (kernel.filesystems.isInUse(number)) throw new SyscallError("ioctl", "EBUSY", number);
  if (Buffer.from(device.content).readUInt32LE(SUPERBLOCK_AT) !== MAGIC)
    throw new SyscallError("ioctl", "EINVAL", number);
  return device;
}

/** The device is there and empty, then has its content, and each is told. */
function addArray({ devices, sys }: FakeKernel, name: string, members: readonly FakeBlockDevice[]): void {
  const devpath = `/devices/virtual/block/${name}`;
  const number = numberOf(name);
  const block = { name, number, devpath, content: new Uint8Array(), readOnly: false };
  devices.addBlockDevice(block, { DEVTYPE: "disk" });
  for (const member of members) {
    addEntry(sys, `${devpath}/slaves/${member.name}`, { link: `../../../../..${member.devpath}` });
  }
  block.content = new Uint8Array(members[0]?.content.subarray(DATA_BYTES) ?? []);
  devices.emit("change", devpath, "block", { MAJOR: "9", MINOR: name.slice(2), DEVNAME: name, DEVTYPE: "disk" });
}
