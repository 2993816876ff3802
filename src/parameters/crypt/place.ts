import type { DeviceSpec } from "../device-spec.ts";
import { Expected, normalisePath, parseWhole } from "../parse.ts";
import type { BytesPlace } from "./settings.ts";
import { isDeviceText, parseLuksId, parseSpelledDevice } from "./text.ts";

/** Where a key or a header is, before the files of the image are known. */
export interface PlaceText {
  /** A file; null: the bytes of `device` themselves. */
  readonly path: string | null;
  /** null: the image or, if it has no such file, any device with a filesystem that has it (dracut). */
  readonly device: DeviceSpec | null;
  /** The file is in the image, even if the image lacks it. */
  readonly isInImage: boolean;
  readonly type: string | null;
  readonly offset: number | null;
  readonly size: number | null;
}

/** A value, and the UUID of the volume that it is for; null: all. */
export interface Owned<T> {
  readonly id: string | null;
  readonly value: T;
}

/** True if the image has a file at this path. */
export type HasFile = (path: string) => boolean;

/** The largest offset and size of a key that is accepted. */
export const MOST_BYTES = 2 ** 50;
/** Devices with random bytes, which crypttab uses as keys of swap. */
const RANDOM = /^\/dev\/(?:u?random|hw_?random|hwrng|hwrandom)$/;

/** Parses a place: PATH, PATH:DEVICE, or DEVICE (systemd's rd.luks.key=, header=; crypttab's third field). */
export function parsePlace(text: string): PlaceText {
  if (isDeviceText(text)) return { ...nowhere, device: parseSpelledDevice(text) };
  const at = text.search(/:(?=\/dev\/|(?:LABEL|UUID|PARTUUID|PARTLABEL|SIBLING)=)/i);
  const path = parseFilePath(at < 0 ? text : text.slice(0, at));
  return { ...nowhere, path, device: at < 0 ? null : parseSpelledDevice(text.slice(at + 1)) };
}

const nowhere: PlaceText = { path: null, device: null, isInImage: false, type: null, offset: null, size: null };

/** Parses a place with dracut's third part: PATH:DEVICE:UUID=…, the volume that the key is for. */
export function parseOwnedPlace(text: string): Owned<PlaceText> {
  const [, front = "", owner] = /^(.*:.*):(?:UUID=|luks-)([0-9a-f-]+)$/is.exec(text) ?? [];
  const isThird = owner !== undefined && !/:SIBLING=\d+$/i.test(front);
  if (isThird) return { id: parseLuksId(owner), value: parsePlace(front.replace(/:$/, "")) };
  return { id: null, value: parsePlace(text) };
}

/**
 * Parses cryptkey= of mkinitcpio's encrypt hook (DEVICE:TYPE:PATH, DEVICE:OFFSET:SIZE in bytes, rootfs:PATH) and of Alpine's
 * mkinitfs (PATH or DEVICE, with or without :OFFSET:SIZE; "yes" is /crypto_keyfile.bin).
 */
export function parseCryptKey(text: string): PlaceText {
  if (text === "yes") return inImage(DEFAULT_KEY_FILE);
  if (text.startsWith("EXEC=")) throw new Expected("a key, not a program: EXEC= is not supported");
  const inRootfs = /^rootfs:(.*)$/s.exec(text)?.[1];
  if (inRootfs !== undefined) return inImage(parseFilePath(inRootfs));
  const [, front = "", offset = "", size = ""] = /^(.*):(\d+):(\d+)$/s.exec(text) ?? [];
  if (front !== "") {
    const place = { ...parsePlace(front), offset: parseWhole(offset, "an offset in bytes", 0, MOST_BYTES) };
    return { ...place, size: parseWhole(size, "a size in bytes", 1, MOST_BYTES) };
  }
  const [, device = "", type = "", path = ""] = /^(.*?):([\w.-]+):(\/?[^:]+)$/s.exec(text) ?? [];
  if (!isDeviceText(device) || /^SIBLING=\d+$/i.test(device)) return parsePlace(text);
  return {
    ...nowhere,
    path: parseFilePath(path),
    device: parseSpelledDevice(device),
    type: type === "auto" ? null : type,
  };
}

/** The key file that both mkinitcpio and mkinitfs look for in the image. */
export const DEFAULT_KEY_FILE = "/crypto_keyfile.bin";

/** Returns the place of a file in the image. */
export function inImage(path: string): PlaceText {
  return { ...nowhere, path, isInImage: true };
}

function parseFilePath(text: string): string {
  const path = text.endsWith("/") ? null : normalisePath(text);
  if (path === null) throw new Expected('PATH, PATH:DEVICE or DEVICE, without ".."');
  return path;
}

/** Why a volume with a random key is not unlocked. */
export const RANDOM_KEY = "its key changes at every boot";

/** True for a key that changes at every boot. */
export function isRandom({ path, device }: PlaceText): boolean {
  return path === null && device?.by === "path" && RANDOM.test(device.path);
}

/** Returns the place for a plan. `range`: the bytes, if the text itself does not say it. */
export function planPlace(place: PlaceText, range: Pick<BytesPlace, "offset" | "size">, hasFile: HasFile): BytesPlace {
  const { path, device, isInImage, type, offset, size } = place;
  const bytes = { type, offset: offset ?? range.offset, size: size ?? range.size };
  if (path === null) return { in: "device", device, path: "", ...bytes };
  if (device !== null) return { in: "filesystem", device, path, ...bytes };
  if (isInImage || hasFile(path)) return { in: "image", device: null, path, ...bytes };
  return { in: "filesystem", device: { by: "file", paths: [path], among: "all" }, path, ...bytes };
}
