import { parseCipher } from "../../src/crypto/cipher.ts";
import type { MappingTarget } from "../../src/machine/encryption.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { decryptSectors } from "./fake-crypt.ts";
import type { FakeBlockDevice } from "./fake-disk.ts";
import { openIntegrityTarget } from "./fake-integrity.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { openVerityTarget } from "./fake-verity-target.ts";

const SECTOR = 512;

/** What a line of a table shows, and the device below that it holds. */
export interface FakeTarget {
  readonly below: FakeBlockDevice;
  /** What it asks for at least, as its logical sectors. */
  readonly logicalBytes: number;
  readonly read: () => Uint8Array;
  /** Other devices that it holds. */
  readonly others?: readonly FakeBlockDevice[];
  /** The errno of each read, where it has no content to show; with `failsBefore`, only of those that begin before this byte. */
  readonly failsWith?: string;
  readonly failsBefore?: number;
}

/** Reads a line of a table; throws SyscallError as TABLE_LOAD would. */
export function openTarget(kernel: FakeKernel, name: string, target: MappingTarget): FakeTarget {
  const words = Buffer.from(target.parameters)
    .toString("latin1")
    .split(" ")
    .filter((word) => word !== "");
  if (!kernel.targets.has(target.type)) refuse(name, "EINVAL");
  if (target.type === "crypt") return openCrypt(kernel, name, target, words);
  if (target.type === "verity") {
    return openVerityTarget(kernel, name, target, words, (text) => findDevice(kernel, name, text));
  }
  if (target.type === "integrity")
    return openIntegrityTarget(name, target, words, (text) => findDevice(kernel, name, text));
  const [device = "", offset = "", ...more] = words;
  if (target.type === "snapshot-origin") return openSlice(kernel, name, target, device, 0);
  // With an empty store, a snapshot shows its origin.
  if (target.type === "snapshot")
    return { ...openSlice(kernel, name, target, device, 0), others: [findDevice(kernel, name, offset)] };
  if (target.type !== "linear" || more.length > 0) refuse(name, "EINVAL");
  return openSlice(kernel, name, target, device, readCount(name, offset));
}

function openSlice(
  kernel: FakeKernel,
  name: string,
  { sectors }: MappingTarget,
  device: string,
  offset: number,
): FakeTarget {
  const below = findDevice(kernel, name, device);
  if ((offset + sectors) * SECTOR > below.content.length) refuse(name, "EINVAL");
  const { logicalBytes = SECTOR } = below;
  return { below, logicalBytes, read: () => below.content.subarray(offset * SECTOR, (offset + sectors) * SECTOR) };
}

/** drivers/md/dm-crypt.c: cipher, key, iv_offset, device, offset, and optional words with their count before them. */
function openCrypt(kernel: FakeKernel, name: string, target: MappingTarget, words: readonly string[]): FakeTarget {
  const [cipher = "", keyText = "", ivText = "", device = "", offset = "", count = "0", ...options] = words;
  if (words.length < 5 || Number(count) !== options.length) refuse(name, "EINVAL");
  const sectorBytes = readOptions(name, options);
  checkCrypto(kernel, name, cipher);
  const how = { cipher, key: readKey(kernel, name, keyText), ivOffset: readCount(name, ivText), sectorBytes };
  if (decryptSectors(how, new Uint8Array(sectorBytes)) === null) refuse(name, "EINVAL");
  if ((target.sectors * SECTOR) % sectorBytes !== 0) refuse(name, "EINVAL");
  const slice = openSlice(kernel, name, target, device, readCount(name, offset));
  const logicalBytes = Math.max(sectorBytes, slice.logicalBytes);
  return { below: slice.below, logicalBytes, read: () => decryptSectors(how, slice.read()) ?? new Uint8Array() };
}

const OPTIONS = [
  "allow_discards",
  "same_cpu_crypt",
  "submit_from_crypt_cpus",
  "no_read_workqueue",
  "no_write_workqueue",
];

function readOptions(name: string, options: readonly string[]): number {
  let sectorBytes = SECTOR;
  for (const option of options) {
    const [, bytes] = /^sector_size:(512|1024|2048|4096)$/.exec(option) ?? [];
    if (bytes === undefined && !OPTIONS.includes(option)) refuse(name, "EINVAL");
    if (bytes !== undefined) sectorBytes = Number(bytes);
  }
  return sectorBytes;
}

/** A cipher, mode or hash whose module is not there. */
function checkCrypto(kernel: FakeKernel, name: string, cipher: string): void {
  const spec = parseCipher(cipher) ?? refuse(name, "EINVAL");
  const essiv = spec.iv === "essiv" ? ["essiv", spec.ivOption] : [];
  if ([spec.mode, spec.cipher, ...essiv].some((word) => !kernel.hasCrypto(word))) refuse(name, "ENOENT");
}

/** Hexadecimal digits, or ":<bytes>:logon:<description>". */
function readKey(kernel: FakeKernel, name: string, text: string): Uint8Array {
  const [, bytes, description = ""] = /^:(\d+):logon:(.+)$/.exec(text) ?? [];
  if (bytes === undefined) {
    if (!/^([0-9a-f]{2})+$/i.test(text)) refuse(name, "EINVAL");
    return Uint8Array.fromHex(text);
  }
  const payload = kernel.keys.payloadOf(description) ?? refuse(name, "ENOKEY");
  if (payload.length !== Number(bytes)) refuse(name, "EINVAL");
  return payload;
}

function findDevice(kernel: FakeKernel, name: string, text: string): FakeBlockDevice {
  const isNumber = /^\d+:\d+$/.test(text);
  const node = isNumber || !text.startsWith("/") ? null : (kernel.namespace.look(text, "ioctl").place?.node ?? null);
  const number = node?.kind === "block" ? node.number : text;
  const device = kernel.devices.byNumber(number) ?? refuse(name, "ENODEV");
  // Mounted: what is used by somebody else. Another mapping may have it too.
  if (kernel.filesystems.isInUse(device.number)) refuse(name, "EBUSY");
  return device;
}

function readCount(name: string, text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse(name, "EINVAL");
}

function refuse(name: string, code: string): never {
  throw new SyscallError("ioctl", code, name);
}
