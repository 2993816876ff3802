import type { MappingTarget } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import type { FakeTarget } from "./fake-crypt-target.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import type { FakeModule } from "./fake-kernel.ts";

/** Debian's modules for it, for `modules` of a fake machine. */
export const INTEGRITY_MODULES = {
  dm_mod: { nodes: { "/mapper/control": { node: "character", number: "10:236" } }, targets: { linear: [1, 4, 0] } },
  dm_integrity: { needs: ["dm_mod"], targets: { integrity: [1, 10, 0] } },
  hmac: {},
} as const satisfies Readonly<Record<string, FakeModule>>;

const DATA_AT = 4096;
/** The fake's own: where a superblock notes what made the checksums. */
const SECRET_AT = 64;
/** The fake's own as well: how many bytes at the start of the data do not match their checksums. */
const DAMAGED_AT = 56;
/** The fake's own as well: a superblock counts here how often it was opened, as the kernel writes to it each time. */
const OPENINGS_AT = 60;

/** Returns a device as `integritysetup format` makes it: without `data`, the checksums alone. `by` is what the kernel calls the algorithm, with its key. */
export function integrityDevice(
  data: Uint8Array,
  { by = "crc32c", tagBytes = 4, isApart = false, blockLog = 0, damagedBytes = 0 } = {},
): Uint8Array<ArrayBuffer> {
  const device = Buffer.alloc(DATA_AT + (isApart ? 0 : data.length));
  device.write("integrt\0", 0, "latin1");
  device[8] = 5;
  device.writeUInt16LE(tagBytes, 10);
  device.writeBigUInt64LE(BigInt(data.length / 512), 16);
  device[28] = blockLog;
  device.writeUInt32LE(damagedBytes, DAMAGED_AT);
  device.write(`${by}\0`, SECRET_AT, "latin1");
  if (!isApart) device.set(data, DATA_AT);
  return new Uint8Array(device);
}

/** drivers/md/dm-integrity.c: refuses what contradicts the superblock; with another algorithm each read fails. */
export function openIntegrityTarget(
  name: string,
  { sectors }: MappingTarget,
  [device = "", start, tagText, mode = "", count, ...options]: readonly string[],
  findDevice: (text: string) => FakeBlockDevice,
): FakeTarget {
  const refuse = (): never => {
    throw new SyscallError("ioctl", "EINVAL", name);
  };
  const findValue = (option: string) =>
    options.find((one) => one.startsWith(`${option}:`))?.slice(option.length + 1) ?? null;
  const meta = findValue("meta_device");
  const below = findDevice(device);
  const { content } = meta === null ? below : findDevice(meta);
  const superblock = Buffer.from(content.buffer, content.byteOffset, content.length);
  const isRight =
    start === "0" &&
    ["J", "B", "D"].includes(mode) &&
    Number(count) === options.length &&
    Number(tagText) === superblock.readUInt16LE(10) &&
    Number(findValue("block_size") ?? 512) === 512 << superblock.readUInt8(28) &&
    sectors <= Number(superblock.readBigUInt64LE(16));
  if (!isRight) refuse();
  content[OPENINGS_AT] = (content[OPENINGS_AT] ?? 0) + 1;
  const [by] = superblock.toString("latin1", SECRET_AT, 512).split("\0");
  const at = meta === null ? DATA_AT : 0;
  const damagedBytes = superblock.readUInt32LE(DAMAGED_AT);
  return {
    below,
    others: meta === null ? [] : [findDevice(meta)],
    logicalBytes: 512 << superblock.readUInt8(28),
    ...(damagedBytes > 0 ? { failsWith: "EILSEQ", failsBefore: damagedBytes } : {}),
    ...(findValue("internal_hash") === by ? {} : { failsWith: "EIO", failsBefore: Number.POSITIVE_INFINITY }),
    read: () => below.content.subarray(at, at + sectors * 512),
  };
}
