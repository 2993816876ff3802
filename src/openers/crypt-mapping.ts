import { BootError, isErrno } from "../errors.ts";
import { wipe } from "../luks/secret.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import { describeRefusal, printable } from "../report.ts";
import { readText } from "../steps/block-devices.ts";
import { loadCipher, requireTarget } from "./crypt-modules.ts";
import type { Scene } from "./opener.ts";

/** A dm-crypt device to make; sectors are of 512 bytes. */
export interface CryptRequest {
  readonly name: string;
  readonly uuid: string;
  readonly readOnly: boolean;
  /** As dm-crypt writes it, "aes-xts-plain64". */
  readonly cipher: string;
  readonly ivOffset: bigint;
  /** "major:minor" of what holds the data. */
  readonly device: string;
  readonly offsetSectors: number;
  readonly sizeSectors: number;
  /** dm-crypt's optional words. */
  readonly options: readonly string[];
  /** What the key is called in the kernel, as "cryptsetup:…". */
  readonly keyDescription: string;
}

type Tools = Pick<Scene, "machine" | "modules" | "voice" | "undo">;

// Since when the target takes a key from a keyring without a bug (libcryptsetup's _dm_set_crypt_compat).
const KEYRING_SINCE = [1, 18, 1] as const;
/** The words that only make it faster or slower: a kernel that is too old for them does without. */
const FASTER_SINCE: Readonly<Record<string, readonly [number, number, number]>> = {
  no_read_workqueue: [1, 22, 0],
  no_write_workqueue: [1, 22, 0],
  high_priority: [1, 26, 0],
};

/** Makes a dm-crypt device with `key`, which stays the caller's to wipe. Throws BootError where the kernel refuses. */
export function createCryptMapping(tools: Tools, request: CryptRequest, key: Uint8Array): Mapping {
  const version = requireTarget(tools, "crypt");
  loadCipher(tools, request.cipher);
  const options = request.options.filter((option) => {
    const since = FASTER_SINCE[option];
    const isKnown = since === undefined || !isBefore(version, since);
    if (!isKnown) tools.voice.warn(`this kernel's dm-crypt is too old for ${option}, ignoring`);
    return isKnown;
  });
  const keyId = isBefore(version, KEYRING_SINCE) ? null : lendKey(tools.machine, request.keyDescription, key);
  let parameters: Uint8Array | null = null;
  try {
    const keyText = keyId === null ? hexDigits(key) : text(`:${key.length}:logon:${request.keyDescription}`);
    parameters = formatTable({ ...request, options }, keyText);
    return createMapping(tools, request, { type: "crypt", sectors: request.sizeSectors, parameters });
  } finally {
    wipe(parameters);
    if (keyId !== null) takeKey(tools, keyId);
  }
}

/** What a mapping of one target is made of. */
export interface TargetRequest {
  readonly type: string;
  readonly sectors: number;
  readonly parameters: Uint8Array;
}

/** Makes a device of one target that goes again with the step; udev of the real root is told that it is in use. Throws BootError with the kernel's words where it refuses. */
export function createMapping(
  { machine, undo }: Tools,
  { name, uuid, readOnly }: Pick<CryptRequest, "name" | "uuid" | "readOnly">,
  { type, sectors, parameters }: TargetRequest,
): Mapping {
  const mark = machine.kernelLogMark();
  try {
    const target = { startSector: 0, sectors, type, parameters };
    const mapping = machine.createMapping({ name, uuid, readOnly, targets: [target] });
    undo(() => removeMapping(machine, mapping));
    tellUdev(machine, mapping);
    return mapping;
  } catch (error) {
    if (!isErrno(error)) throw error;
    const said = machine.kernelLogSince(mark).map((line) => `kernel: ${line}`);
    throw new BootError(`the kernel does not make /dev/mapper/${printable(name)}`, {
      cause: new BootError([REASONS[error.code] ?? describeRefusal(error), ...said].join("\n")),
      hint: HINTS[error.code] ?? "see what the kernel says: dmesg",
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: "the name is taken, or the device below it is in use (EBUSY)",
  ENOENT: "it does not have the cipher (ENOENT)",
  EINVAL: "it does not take the table (EINVAL)",
};
const HINTS: Readonly<Record<string, string>> = {
  EBUSY: "see `levain devices`; what nobody needs goes with dmsetup remove",
  ENOENT:
    "add the cipher's modules to the image, all in /lib/modules/VERSION/kernel/crypto: levain image --module NAME",
};

/** Where udev keeps what it knows; /run moves along into the real root. */
const UDEV_DATA = "/run/udev/data";

/** Removes a device, and what udev was told of it. */
export function removeMapping(machine: Machine, { name, device }: Mapping): void {
  const entry = udevEntry(machine, device);
  machine.removeMapping(name);
  if (entry !== null && machine.lstat(entry) !== null) machine.removeFile(entry);
}

/** 10-dm.rules takes a device without this for one that is not set up yet, and hides it from systemd. */
function tellUdev(machine: Machine, { device }: Mapping): void {
  const entry = udevEntry(machine, device);
  if (entry === null) return;
  machine.makeDirectory(UDEV_DATA);
  machine.writeFile(entry, "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n");
}

function udevEntry(machine: Machine, device: string): string | null {
  const path = `/sys/class/block/${device}/dev`;
  return machine.stat(path) === null ? null : `${UDEV_DATA}/b${readText(machine, path)}`;
}

/** The id of the key in the kernel; null where it keeps none. */
function lendKey(machine: Machine, description: string, key: Uint8Array): number | null {
  try {
    return machine.addLogonKey(description, key);
  } catch (error) {
    if (isErrno(error)) return null;
    throw error;
  }
}

/** The table has its own hold on it; what stays in this thread's keyring goes with the thread. */
function takeKey({ machine, voice }: Pick<Tools, "machine" | "voice">, id: number): void {
  try {
    machine.removeKey(id);
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`a key stays in the kernel's keyring until the boot is over: ${describeRefusal(error)}`);
  }
}

/** `cipher key iv_offset device offset [#options option…]` (Documentation/admin-guide/device-mapper/dm-crypt.rst); wipes the key's text. */
function formatTable(request: CryptRequest, keyText: Uint8Array): Uint8Array {
  const { cipher, ivOffset, device, offsetSectors, options } = request;
  const tail = options.length > 0 ? ` ${options.length} ${options.join(" ")}` : "";
  const parts = [text(`${cipher} `), keyText, text(` ${ivOffset} ${device} ${offsetSectors}${tail}`)];
  const table = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    table.set(part, at);
    at += part.length;
  }
  wipe(keyText);
  return table;
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

/** As bytes: a string could not be wiped. */
function hexDigits(key: Uint8Array): Uint8Array {
  const digits = new Uint8Array(key.length * 2);
  const digit = (value: number) => value + (value < 10 ? 0x30 : 0x57);
  for (const [index, byte] of key.entries()) digits.set([digit(byte >>> 4), digit(byte & 15)], index * 2);
  return digits;
}

function isBefore(version: readonly [number, number, number], other: readonly [number, number, number]): boolean {
  const index = version.findIndex((part, at) => part !== other[at]);
  return index >= 0 && (version[index] ?? 0) < (other[index] ?? 0);
}
