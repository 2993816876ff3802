import { crc32 } from "node:zlib";
import type { FakeImage } from "./fake-images.ts";

interface PartitionContent {
  readonly image: Pick<FakeImage, "bytes">;
  /** PARTLABEL */
  readonly name?: string;
  /** PARTUUID */
  readonly uuid?: string;
  /** Its GPT type; Linux filesystem data where not given. */
  readonly type?: string;
}

export interface FakePartition extends PartitionContent {
  readonly image: FakeImage;
}

const FIRST_LBA = 64;

/** A disk with a GUID partition table (UEFI 2.10, 5.3; the copy at the start only) and where its partitions lie, in bytes. */
export function partitionDisk(
  partitions: readonly PartitionContent[],
  sectorBytes = 512,
): { bytes: Uint8Array<ArrayBuffer>; offsets: readonly number[] } {
  const offsets: number[] = [];
  let end = FIRST_LBA * sectorBytes;
  for (const { image } of partitions) {
    offsets.push(end);
    end += Math.ceil(image.bytes.length / sectorBytes) * sectorBytes;
  }
  const bytes = new Uint8Array(end + sectorBytes);
  const entries = bytes.subarray(2 * sectorBytes, 2 * sectorBytes + 128 * 128);
  for (const [index, partition] of partitions.entries()) {
    const offset = offsets[index] ?? 0;
    bytes.set(partition.image.bytes, offset);
    writeEntry(entries.subarray(index * 128, index * 128 + 128), partition, offset / sectorBytes, sectorBytes);
  }
  put(bytes, 446, "\0\0\x02\0\xee\xff\xff\xff\x01\0\0\0\xff\xff\xff\xff");
  put(bytes, 510, "\x55\xaa");
  writeHeader(bytes.subarray(sectorBytes, sectorBytes + 512), crc32(entries), end / sectorBytes);
  return { bytes, offsets };
}

function writeEntry(
  entry: Uint8Array,
  { image, name = "", uuid, type = "0fc63daf-8483-4772-8e79-3d69d8477de4" }: PartitionContent,
  firstLba: number,
  sectorBytes: number,
): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  entry.set(guid(type), 0);
  entry.set(guid(uuid ?? `00000000-0000-0000-0000-${firstLba.toString(16).padStart(12, "0")}`), 16);
  view.setBigUint64(32, BigInt(firstLba), true);
  view.setBigUint64(40, BigInt(firstLba + Math.ceil(image.bytes.length / sectorBytes) - 1), true);
  entry.set(Buffer.from(name, "utf16le"), 56);
}

function writeHeader(header: Uint8Array, entriesCrc: number, lastLba: number): void {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  put(header, 0, "EFI PART\0\0\x01\0");
  view.setUint32(12, 92, true);
  for (const [at, lba] of [
    [24, 1],
    [32, lastLba],
    [40, FIRST_LBA],
    [48, lastLba - 1],
    [72, 2],
  ] as const)
    view.setBigUint64(at, BigInt(lba), true);
  header.set(guid("11111111-2222-3333-4444-555555555555"), 56);
  for (const [at, value] of [
    [80, 128],
    [84, 128],
    [88, entriesCrc],
  ] as const)
    view.setUint32(at, value, true);
  view.setUint32(16, crc32(header.subarray(0, 92)), true);
}

/** A GUID's bytes: its first three groups are little-endian. */
function guid(text: string): Uint8Array {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  for (const [from, to] of [
    [0, 4],
    [4, 6],
    [6, 8],
  ] as const)
    bytes.subarray(from, to).reverse();
  return bytes;
}

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(Buffer.from(text, "latin1"), at);
}
