import { wipe } from "../../../crypto/secret.ts";
import type { BlockDevice } from "../../../devices/block-devices.ts";
import { mountDeviceBriefly } from "../../../filesystems/brief-mount.ts";
import { findFileIn } from "../../../filesystems/resolve.ts";
import type { ByteSource } from "../../../formats/facts.ts";
import type { RandomReader } from "../../../machine/machine.ts";
import type { BytesPlace } from "../../../parameters/crypt/settings.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import { BootError, isErrno } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import type { Scene } from "../../opener.ts";
import { specText } from "../../search-words.ts";

type Tools = Pick<Scene, "machine" | "modules" | "find">;

/** cryptsetup's own limit. */
const MAX_KEY_BYTES = 8 << 20;

/** The place as a person may name it: "/keys/root on LABEL=KEYS". */
export function describePlace({ in: where, device, path }: BytesPlace): string {
  if (where === "image" || device === null) return `${printable(path)} in this image`;
  return where === "device" ? specText(device) : `${printable(path)} on ${specText(device)}`;
}

/** The device whose coming may bring the place; null for what is in the image. */
export function deviceOfPlace({ in: where, device }: BytesPlace): DeviceSpec | null {
  return where === "image" ? null : device;
}

/** True where the place can be looked at now. */
export function isPlaceThere(tools: Pick<Tools, "find">, place: BytesPlace): boolean {
  return listSources(tools, place).length > 0;
}

/** Every device that the place may be on, null for the image; for a file not the encrypted volume around its filesystem, which may be called the same. */
export function listSources({ find }: Pick<Tools, "find">, place: BytesPlace): readonly (BlockDevice | null)[] {
  const spec = deviceOfPlace(place);
  if (spec === null) return [null];
  return find(spec).filter(({ facts }) => place.in === "device" || facts.type !== "crypto_LUKS");
}

/** All bytes of a key from one of its sources; the caller wipes them. Throws BootError where it cannot be read. */
export function readKey(tools: Tools, place: BytesPlace, from: BlockDevice | null): Uint8Array {
  return readFrom(tools, place, from, (source) => {
    if (source.size > MAX_KEY_BYTES) {
      throw new BootError(`${describePlace(place)} is larger than any key: more than 8 MiB`, {
        hint: "say which of its bytes are the key, by an offset and a size",
      });
    }
    const bytes = source.read(0, source.size);
    if (bytes.length === source.size && bytes.length > 0) return bytes;
    wipe(bytes);
    throw new BootError(`${describePlace(place)} ${source.size === 0 ? "is empty" : "ends before the key does"}`);
  });
}

/** Shows `use` the bytes that `place` means; null where its device is not there. Throws BootError where they cannot be had. */
export function readPlace<T>(tools: Tools, place: BytesPlace, use: (source: ByteSource) => T): T | null {
  const [source] = listSources(tools, place);
  return source === undefined ? null : readFrom(tools, place, source, use);
}

function readFrom<T>(tools: Tools, place: BytesPlace, device: BlockDevice | null, use: (source: ByteSource) => T): T {
  try {
    if (device === null) return readFileAt(tools, place.path, place, use);
    if (place.in === "device") return readFileAt(tools, device.node, place, use);
    return readOnFilesystem(tools, device, place, use);
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new BootError(`${describePlace(place)} cannot be read`, { cause: error });
  }
}

function readOnFilesystem<T>(
  tools: Tools,
  { node, facts }: BlockDevice,
  place: BytesPlace,
  use: (source: ByteSource) => T,
): T {
  const type = place.type ?? facts.type;
  if (type === null) throw new BootError(`there is no filesystem on ${node} for ${describePlace(place)}`);
  return mountDeviceBriefly({ machine: tools.machine, drivers: tools.modules }, { node, type }, (directory) => {
    const file = findFileIn(tools.machine, directory, place.path);
    if (file === null) throw new BootError(`there is no file ${printable(place.path)} on ${node}`);
    return readFileAt(tools, file, place, use);
  });
}

function readFileAt<T>(
  { machine }: Tools,
  path: string,
  { offset, size }: BytesPlace,
  use: (source: ByteSource) => T,
): T {
  const reader = machine.openReader(path);
  try {
    return use(slice(reader, offset, size));
  } finally {
    reader.close();
  }
}

/** A part of a file or device, told as long as it was asked for. */
function slice(reader: RandomReader, offset: number, size: number | null): ByteSource {
  const all = size ?? Math.max(0, reader.size - offset);
  return {
    size: all,
    read: (at, length) => reader.read(offset + at, Math.max(0, Math.min(length, all - at))),
  };
}
