import { hexDigits, secretBytes, wipe } from "../../../crypto/secret.ts";
import type { Context } from "../../../drivers/context.ts";
import type { CryptMapping } from "../../../keys/mapping.ts";
import type { Mapping, MappingRequest } from "../../../machine/encryption.ts";
import { orIfRefused, unlessRefused } from "../../../problems/errors.ts";
import { describeRefusal } from "../../../problems/report.ts";
import { createMapping, requireTarget, type TargetVersion } from "../../device-mapper/mapping.ts";

interface CryptRequest
  extends Pick<MappingRequest, "name" | "uuid" | "readOnly">,
    Pick<CryptMapping, "cipher" | "ivOffset" | "offsetSectors" | "sizeSectors" | "options"> {
  /** "major:minor" of what holds the data. */
  readonly device: string;
  /** The description of the key in the kernel, as "cryptsetup:…". */
  readonly keyDescription: string;
}

// The first version of the target that takes a key from a keyring without a bug (libcryptsetup's _dm_set_crypt_compat).
const KEYRING_SINCE = [1, 18, 1] as const;
/** Options that only change the speed: a kernel that is too old for them does without. */
const FASTER_SINCE: Readonly<Record<string, TargetVersion>> = {
  no_read_workqueue: [1, 22, 0],
  no_write_workqueue: [1, 22, 0],
  high_priority: [1, 26, 0],
};

/** Creates a dm-crypt device with `key`, which stays the caller's to wipe. Throws BootError if the kernel refuses. */
export function createCryptMapping(context: Context, request: CryptRequest, key: Uint8Array): Mapping {
  const version = requireTarget(context, "crypt");
  for (const alias of listCipherAliases(request.cipher)) context.drivers.loadByAlias(alias);
  const options = request.options.filter((option) => {
    const since = FASTER_SINCE[option];
    const isKnown = since === undefined || !isBefore(version, since);
    if (!isKnown) context.voice.warn(`this kernel's dm-crypt is too old for ${option}, ignoring`);
    return isKnown;
  });
  // null if the kernel keeps no keys.
  const lendKey = () => orIfRefused(() => context.machine.addLogonKey(request.keyDescription, key), null);
  const keyId = isBefore(version, KEYRING_SINCE) ? null : lendKey();
  let parameters: Uint8Array | null = null;
  try {
    const keyText = keyId === null ? hexDigits(key) : text(`:${key.length}:logon:${request.keyDescription}`);
    parameters = formatTable({ ...request, options }, keyText);
    return createMapping(context, request, { type: "crypt", sectors: request.sizeSectors, parameters });
  } finally {
    wipe(parameters);
    if (keyId !== null) returnKey(context, keyId);
  }
}

/** The table holds a reference of its own; a key that stays in this thread's keyring goes with the thread. */
function returnKey({ machine, voice }: Context, id: number): void {
  unlessRefused(
    () => machine.removeKey(id),
    (refusal) => voice.warn(`a key stays in the kernel's keyring until the boot is over: ${describeRefusal(refusal)}`),
  );
}

/** `cipher key iv_offset device offset [#options option…]` (Documentation/admin-guide/device-mapper/dm-crypt.rst); wipes the key's text. */
function formatTable(request: CryptRequest, keyText: Uint8Array): Uint8Array {
  const { cipher, ivOffset, device, offsetSectors, options } = request;
  const tail = options.length > 0 ? ` ${options.length} ${options.join(" ")}` : "";
  const parts = [text(`${cipher} `), keyText, text(` ${ivOffset} ${device} ${offsetSectors}${tail}`)];
  const table = secretBytes(parts.reduce((sum, { length }) => sum + length, 0));
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

function isBefore(version: TargetVersion, other: TargetVersion): boolean {
  const index = version.findIndex((part, at) => part !== other[at]);
  return index >= 0 && (version[index] ?? 0) < (other[index] ?? 0);
}

/** Parts of a cipher's name that are no algorithms. */
const NO_ALGORITHMS = new Set("capi plain plain64 plain64be null benbi random eboiv elephant".split(" "));

/** Has the ciphers of the data loaded while the user types. */
export function expectCipher({ drivers }: Pick<Context, "drivers">, cipher: string): void {
  for (const alias of listCipherAliases(cipher)) drivers.loadSoon(alias);
}

/** Returns the aliases by which the kernel's crypto API would ask modprobe for the parts of a cipher ("crypto-aes", …); in an initramfs nothing answers it. */
export function listCipherAliases(cipher: string): readonly string[] {
  const names = (cipher.match(/[a-z0-9_]+/g) ?? []).filter((name) => !NO_ALGORITHMS.has(name) && !/^\d+$/.test(name));
  // XTS computes its tweaks with ECB.
  const helpers = names.includes("xts") ? ["ecb"] : [];
  return [...new Set([...names, ...helpers])].map((name) => `crypto-${name}`);
}
