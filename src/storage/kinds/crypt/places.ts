import { wipe } from "../../../crypto/secret.ts";
import { type BlockDevice, withReader } from "../../../devices/block-devices.ts";
import { mountDeviceBriefly } from "../../../filesystems/brief-mount.ts";
import { findFileIn } from "../../../filesystems/resolve.ts";
import { hasUnreplayedJournal } from "../../../filesystems/untouched.ts";
import type { ByteSource } from "../../../formats/facts.ts";
import type { RandomReader } from "../../../machine/machine.ts";
import type { BytesPlace } from "../../../parameters/crypt/place.ts";
import { unlessRefused } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { printable } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import { specText } from "../../search-words.ts";
import type { KeySource } from "./state.ts";

/** cryptsetup's own limit. */
const MAX_KEY_BYTES = 8 << 20;

/** Returns the place as the user may name it: "/keys/root on LABEL=KEYS". */
export function describePlace({ in: where, device, path }: BytesPlace): string {
  if (where === "image" || device === null) return `${printable(path)} in this image`;
  return where === "device" ? specText(device) : `${printable(path)} on ${specText(device)}`;
}

/** Returns every key that can be read now. */
export function listKeySources(context: StorageContext, places: readonly BytesPlace[]): readonly KeySource[] {
  return places.flatMap((place) => listSources(context, place).map((device) => ({ place, device })));
}

/** Returns every device that the place may be on, null for the image; for a file not the encrypted volume around its filesystem, which may have the same name. */
export function listSources({ find }: StorageContext, place: BytesPlace): readonly (BlockDevice | null)[] {
  if (place.in === "image" || place.device === null) return [null];
  return find(place.device).filter(({ facts }) => place.in === "device" || facts.type !== "crypto_LUKS");
}

/** Returns all bytes of a key, which the caller wipes. Throws BootError if it cannot be read. */
export function readKey(context: StorageContext, { place, device }: KeySource): Uint8Array {
  return readFrom(context, place, device, (source) => {
    if (source.size > MAX_KEY_BYTES) throw problem("key-too-large", { place: describePlace(place) });
    const bytes = source.read(0, source.size);
    if (bytes.length === source.size && bytes.length > 0) return bytes;
    wipe(bytes);
    throw problem(source.size === 0 ? "key-empty" : "key-truncated", { place: describePlace(place) });
  });
}

/** Calls `use` with the bytes that `place` means; null if its device is missing. Throws BootError if they cannot be read. */
export function readPlace<T>(context: StorageContext, place: BytesPlace, use: (source: ByteSource) => T): T | null {
  const [source] = listSources(context, place);
  return source === undefined ? null : readFrom(context, place, source, use);
}

function readFrom<T>(
  context: StorageContext,
  place: BytesPlace,
  device: BlockDevice | null,
  use: (source: ByteSource) => T,
): T {
  const { machine } = context;
  const read = (path: string, files = machine) =>
    withReader(files, path, (reader) => use(slice(reader, place.offset, place.size)));
  const find = () => {
    if (device === null || place.in === "device") return read(device?.node ?? place.path);
    const { node } = device;
    const type = place.type ?? device.facts.type;
    if (type === null) throw problem("no-filesystem-for-key", { node, place: describePlace(place) });
    return mountDeviceBriefly(context, { node, type }, (directory, files) => {
      const file = findFileIn(files, directory, place.path);
      if (file === null) {
        const isUnclean = hasUnreplayedJournal(files, node, type);
        throw problem("no-key-file", { path: printable(place.path), node, isUnclean });
      }
      return read(file, files);
    });
  };
  return unlessRefused(find, (cause) => {
    throw problem("place-unreadable", { place: describePlace(place) }, { cause });
  });
}

/** A part of a file or device, with the length that was asked for. */
function slice(reader: RandomReader, offset: number, size: number | null): ByteSource {
  const all = size ?? Math.max(0, reader.size - offset);
  const read = (at: number, length: number) => reader.read(offset + at, Math.max(0, Math.min(length, all - at)));
  return { size: all, read };
}
