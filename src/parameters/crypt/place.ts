import { notSupportedYet } from "../../problems/not-supported.ts";
import type { DeviceSpec } from "../device-spec.ts";
import { Expected, normalisePath, parseWhole } from "../parse.ts";
import { isDeviceText, parseLuksId, parseSpelledDevice } from "./text.ts";

/** How a volume is unlocked. */
export interface CryptSettings {
  /** Where the detached LUKS header is; null: on the device itself. */
  readonly header: BytesPlace | null;
  /** Keys, tried in this order before a passphrase is asked for. */
  readonly keys: readonly BytesPlace[];
  /** Milliseconds to wait for a device with a key or a header before a passphrase is asked for; null: no limit. */
  readonly keyTimeoutMs: number | null;
  /** The only keyslot to try. */
  readonly keyslot: number | null;
  /** How often a passphrase is asked for; 0: no limit. */
  readonly tries: number;
  /** Milliseconds that a prompt waits for a passphrase; null: no limit. */
  readonly promptTimeoutMs: number | null;
  readonly isReadOnly: boolean;
  /** dm-crypt's optional parameters, such as "allow_discards". */
  readonly options: readonly string[];
  /** rd.luks.options=insecure-null. */
  readonly allowsNull: boolean;
  /** Milliseconds that the derivation of one key may take; 0: no limit; null: `AUTO_MAX_KDF_MS` for a volume that only rd.auto unlocks, no limit for others. */
  readonly maxKdfMs: number | null;
}

/** Where a key or a detached header is, and which bytes it has. */
export interface BytesPlace {
  /** image: a file of the initramfs; filesystem: a file on the filesystem of `device`; device: its own bytes. */
  readonly in: "image" | "filesystem" | "device";
  /** null only for an image. */
  readonly device: DeviceSpec | null;
  /** Empty only for a device. */
  readonly path: string;
  /** The filesystem's type; null: as probed. */
  readonly type: string | null;
  /** Bytes. */
  readonly offset: number;
  /** Bytes; null: up to the end. */
  readonly size: number | null;
}

/** dm-crypt without a header (cryptsetup's `open --type plain`). */
export interface PlainFormat {
  /** Hash of the passphrase, such as "ripemd160" or "sha256:32"; "plain": the passphrase itself is the key. Not used for key files. */
  readonly hash: string;
  /** Such as "aes-xts-plain64". */
  readonly cipher: string;
  readonly keyBits: number;
  /** Where the data begin on the device, in sectors of 512 bytes. */
  readonly offsetSectors: number;
  /** Added to the number of each sector for its IV, in sectors of 512 bytes. */
  readonly skipSectors: number;
  /** In sectors of 512 bytes; null: up to the end of the device. */
  readonly sizeSectors: number | null;
  /** The sector size of the encryption. */
  readonly sectorBytes: number;
  /** True without the option `plain`: a device with a LUKS header is unlocked as LUKS. */
  readonly unlessLuks: boolean;
}

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

/** Parses a place: PATH, PATH:DEVICE, or DEVICE (systemd's rd.luks.key=, header=; crypttab's third field). dracut's PATH:/ is a file of the image. */
export function parsePlace(text: string): PlaceText {
  const inside = /^(\/.*):\/$/s.exec(text)?.[1];
  if (inside !== undefined) return inImage(parseFilePath(inside));
  if (isDeviceText(text)) return { ...nowhere, device: parseSpelledDevice(text) };
  const at = text.search(/:(?=\/dev\/|(?:LABEL|UUID|PARTUUID|PARTLABEL|SIBLING)=)/i);
  const path = parseFilePath(at < 0 ? text : text.slice(0, at));
  return { ...nowhere, path, device: at < 0 ? null : parseSpelledDevice(text.slice(at + 1)) };
}

const nowhere: PlaceText = { path: null, device: null, isInImage: false, type: null, offset: null, size: null };

/** Parses a place with dracut's third part: PATH:DEVICE:UUID=…, the volume that the key is for, or "*" for all. */
export function parseOwnedPlace(text: string): Owned<PlaceText> {
  const forAll = /^(.*:.*):\*$/s.exec(text)?.[1];
  if (forAll !== undefined) return { id: null, value: parsePlace(forAll.replace(/:$/, "")) };
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
  if (text.startsWith("EXEC=")) throw new Expected(`a key, not a program: ${notSupportedYet("EXEC=")}`);
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
