import type { ArrayRequest, Arrays } from "../../src/machine/storage/arrays.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import { addEntry } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { takeAnswer } from "./fake-kernel-calls.ts";

const DATA_BYTES = 2 << 20;
const SUPERBLOCK_AT = 4096;
const MAGIC = 0xa92b4efc;

/** A member of a mirror as `mdadm --create --metadata=1.2` writes it, and how it saw the array last. */
export interface FakeMember {
  readonly place: number;
  readonly disks?: number;
  readonly level?: number;
  readonly events?: number;
  readonly uuid?: string;
  readonly name?: string;
  readonly isClean?: boolean;
  /** "1.2" where not given; with "1.0" the data begin where the member does, and the superblock is at its end. */
  readonly metadata?: "1.0" | "1.2";
  /** RESHAPE_ACTIVE, JOURNAL … */
  readonly features?: number;
}

/** The bytes of a member whose data are `image`. */
export function fakeMember({ bytes }: Pick<FakeImage, "bytes">, member: FakeMember): Uint8Array {
  const { place, disks = 2, level = 1, events = 10, name = "host:0", isClean = true, features = 0 } = member;
  const isAtEnd = member.metadata === "1.0";
  const dataBytes = isAtEnd ? 0 : DATA_BYTES;
  const blocks = Math.ceil(bytes.length / 4096) * 4096;
  const content = Buffer.alloc(isAtEnd ? blocks + 8192 : DATA_BYTES + bytes.length);
  content.set(bytes, dataBytes);
  const at = isAtEnd ? blocks : SUPERBLOCK_AT;
  const sb = content.subarray(at, at + 256 + 2 * disks);
  const uuid = (member.uuid ?? "0f6f4b5c-1d2e-3f40-5162-738495a6b7c8").replaceAll("-", "");
  sb.writeUInt32LE(MAGIC, 0);
  sb.writeUInt32LE(1, 4);
  sb.writeUInt32LE(features, 8);
  sb.write(uuid, 16, "hex");
  sb.write(name, 32, "latin1");
  sb.writeInt32LE(level, 72);
  sb.writeBigUInt64LE(BigInt(bytes.length / 512), 80);
  sb.writeUInt32LE(disks, 92);
  sb.writeBigUInt64LE(BigInt(dataBytes / 512), 128);
  sb.writeBigUInt64LE(BigInt(bytes.length / 512), 136);
  sb.writeBigUInt64LE(BigInt(at / 512), 144);
  sb.writeUInt32LE(place, 160);
  sb.write(`${uuid.slice(0, 30)}0${place}`, 168, "hex");
  sb.writeBigUInt64LE(BigInt(events), 200);
  sb.writeBigUInt64LE(isClean ? 0xffff_ffff_ffff_ffffn : 0n, 208);
  sb.writeUInt32LE(disks, 220);
  for (let place = 0; place < disks; place++) sb.writeUInt16LE(place, 256 + 2 * place);
  let sum = 0n;
  for (let word = 0; word + 4 <= sb.length; word += 4) sum += BigInt(sb.readUInt32LE(word));
  if (sb.length % 4 === 2) sum += BigInt(sb.readUInt16LE(sb.length - 2));
  sb.writeUInt32LE(Number((sum & 0xffff_ffffn) + (sum >> 32n)) >>> 0, 216);
  return content;
}

const PERSONALITIES: Readonly<Record<number, string>> = { 0: "raid0", 1: "raid1", 5: "raid456" };

/** The arrays of drivers/md/md.c as far as mirrors go: any member has all the data. */
export function createFakeArrays(kernel: FakeKernel): Arrays {
  const arrays = new Map<string, readonly FakeBlockDevice[]>();
  function start({ name, members }: ArrayRequest): void {
    if (!kernel.loadedModules.includes("md_mod")) throw new SyscallError("open", "ENXIO", `/dev/${name}`);
    if (arrays.has(name)) throw new SyscallError("ioctl", "EBUSY", name);
    const devices = members.map((number) => openMember(kernel, number));
    const [first] = devices;
    if (first === undefined) throw new SyscallError("ioctl", "EINVAL", name);
    const level = superblockOf(first)?.readInt32LE(72) ?? 0;
    if (!kernel.loadedModules.includes(PERSONALITIES[level] ?? "")) throw new SyscallError("ioctl", "EINVAL", name);
    for (const { number } of devices) kernel.devices.hold(number);
    arrays.set(name, devices);
    addArray(kernel, name, devices);
  }

  return {
    startArray(request) {
      const devices = request.members.map((number) => kernel.devices.byNumber(number));
      // The kernel reads each superblock again.
      const delayMs = devices.reduce((sum, device) => sum + (device?.answersAfterMs ?? 0), 0);
      const due = { atMs: kernel.nowMs + delayMs, isOnce: true };
      if (delayMs > 0) kernel.answers.add(due);
      let isDone = false;
      return {
        isStarted(timeoutMs) {
          if (!takeAnswer(kernel, due, timeoutMs)) return false;
          if (!isDone) start(request);
          isDone = true;
          return true;
        },
        leave() {
          kernel.answers.delete(due);
        },
      };
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
  if (kernel.filesystems.isInUse(number) || kernel.devices.isHeld(number))
    throw new SyscallError("ioctl", "EBUSY", number);
  if (superblockOf(device) === undefined) throw new SyscallError("ioctl", "EINVAL", number);
  return device;
}

/** That of version 1.2, else that of 1.0. */
function superblockOf({ content }: FakeBlockDevice): Buffer | undefined {
  const places = [SUPERBLOCK_AT, content.length - 8192].filter((at) => at > 0);
  return places.map((at) => Buffer.from(content).subarray(at)).find((sb) => sb.readUInt32LE(0) === MAGIC);
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
  const [first] = members;
  const superblock = first && superblockOf(first);
  if (first === undefined || superblock === undefined) return;
  const start = Number(superblock.readBigUInt64LE(128)) * 512;
  block.content = new Uint8Array(first.content.subarray(start, start + Number(superblock.readBigUInt64LE(80)) * 512));
  devices.emit("change", devpath, "block", { MAJOR: "9", MINOR: name.slice(2), DEVNAME: name, DEVTYPE: "disk" });
  // The partitions of a member whose data begin where it does are the array's.
  for (let index = 1; start === 0; index++) {
    const part = devices.byName(`${first.name}${index}`);
    if (part === undefined) break;
    const own = { name: `${name}p${index}`, number: `259:${index}`, devpath: `${devpath}/${name}p${index}` };
    devices.addBlockDevice(
      { ...own, content: part.content, readOnly: false },
      { DEVTYPE: "partition", PARTN: `${index}` },
    );
  }
}
