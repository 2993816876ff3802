import { onlyTexts } from "../../formats/text.ts";
import type { BytesPlace, CryptSettings, PlainFormat } from "../../parameters/crypt/place.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { CryptPlan, CryptVolume } from "../plan.ts";
import { DEFAULT_SETTINGS } from "./crypt.ts";

/** Returns what is unlocked, a line a volume: pairs of a subject and a text. `hasDevice`: the root is a block device, which may be a LUKS volume. */
export function formatCrypt(
  { isOff, volumes, everyLuks, unnamed }: CryptPlan,
  hasDevice: boolean,
): readonly (readonly [string, string])[] {
  if (isOff) return [["encrypted", "nothing is unlocked"]];
  const isDefault = JSON.stringify(unnamed) === JSON.stringify(DEFAULT_SETTINGS) && !everyLuks;
  const other = everyLuks ? "every other LUKS volume" : "the root, if it is a LUKS volume";
  const byDefault =
    hasDevice && volumes.length === 0 ? ["if the root is a LUKS volume, levain asks for its passphrase"] : [];
  const rest = isDefault ? byDefault : [[other, ...formatSettings(unnamed)].join(", ")];
  return [...volumes.map(formatVolume), ...rest].map((text) => ["encrypted", text] as const);
}

function formatVolume(volume: CryptVolume): string {
  const { device, name, plain, isOptional } = volume;
  return [
    `${formatDeviceSpec(device)} as ${name ?? "luks-UUID"}`,
    ...(plain === null ? [] : formatPlain(plain)),
    ...formatSettings(volume),
    ...onlyTexts(isOptional && "may be missing"),
  ].join(", ");
}

function formatPlain(plain: PlainFormat): readonly string[] {
  const { cipher, keyBits, hash, offsetSectors, skipSectors, sizeSectors, sectorBytes } = plain;
  return onlyTexts(
    `${plain.unlessLuks ? "if it is not LUKS: " : ""}plain ${cipher} with ${keyBits} bits, passphrase hashed with ${hash}`,
    offsetSectors > 0 && `from sector ${offsetSectors}`,
    skipSectors > 0 && `sector numbers from ${skipSectors}`,
    sizeSectors !== null && `${sizeSectors} sectors`,
    sectorBytes !== 512 && `sectors of ${sectorBytes} bytes`,
  );
}

function formatSettings(settings: CryptSettings): readonly string[] {
  const { header, keys, keyTimeoutMs, keyslot, tries, promptTimeoutMs, maxKdfMs } = settings;
  const wait = keyTimeoutMs === null ? "without limit" : `at most ${keyTimeoutMs / 1000} s`;
  const isAwaited = [header, ...keys].some((place) => place !== null && place.in !== "image");
  const kdf = maxKdfMs === 0 ? "key derivation without limit" : `key derivation at most ${(maxKdfMs ?? 0) / 1000} s`;
  return onlyTexts(
    header && `header ${formatPlace(header)}`,
    ...keys.map((key) => `key ${formatPlace(key)}`),
    isAwaited && `wait ${wait}`,
    keyslot !== null && `keyslot ${keyslot} only`,
    tries === 0 ? "any number of tries" : `${tries} ${tries === 1 ? "try" : "tries"}`,
    promptTimeoutMs !== null && `prompt at most ${promptTimeoutMs / 1000} s`,
    maxKdfMs !== null && kdf,
    settings.isReadOnly && "read-only",
    ...settings.options,
    settings.allowsNull && "even if not encrypted",
  );
}

function formatPlace(place: BytesPlace): string {
  const { in: where, device, path } = place;
  if (where === "image" || device === null) return `${path} of the image${formatRange(place)}`;
  if (where === "device") return `${formatDeviceSpec(device)}${formatRange(place)}`;
  return `${path} ${device.by === "file" ? "on any device" : `on ${formatDeviceSpec(device)}`}${formatRange(place)}`;
}

function formatRange({ offset, size }: BytesPlace): string {
  if (size !== null) return ` bytes ${offset} to ${offset + size}`;
  return offset === 0 ? "" : ` from byte ${offset}`;
}
